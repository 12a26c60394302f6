"""Converse, in Chromium without a window."""

from program import Program, websocket
from story import tell


class Converse(Program):
    """Clicked and typed to as a person would."""

    name = "Converse"
    lacks = {
        "sees_retractions": "Converse looks for the id that the author gave, and the retraction names that of the room",
    }

    def __init__(self):
        super().__init__("converse")

    async def start(self, host, account, _folder):
        """Logs in."""
        if host.kind.startswith("ejabberd"):
            closed = "Converse sends them with the room's address as `from`, for which ejabberd closes the stream"
            self.lacks = self.lacks | {"whispers": closed}
        await self.launch()
        await self.wish("start", f"{account}@{host.domain}", f"pw-{account}", websocket(host))


if __name__ == "__main__":
    tell(Converse())
