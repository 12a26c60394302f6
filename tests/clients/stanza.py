"""A client on stanza, the library for JavaScript, in Node.js."""

from program import Program, websocket
from story import tell


class Stanza(Program):
    """Asked by the library's own functions."""

    name = "stanza"
    lacks = {
        "retracts": "stanza defines no retraction",
        "sees_retractions": "stanza defines no retraction",
    }

    def __init__(self):
        super().__init__("stanza")

    async def start(self, host, account, _folder):
        """Logs in."""
        await self.launch()
        await self.wish("start", f"{account}@{host.domain}", f"pw-{account}", websocket(host))


if __name__ == "__main__":
    tell(Stanza())
