"""Converse, in Chromium without a window."""

from people import Failed
from program import Program, websocket
from story import BY_ITSELF_S_MAX, tell


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

    async def back(self, room):
        """Waits until it is in the room again; has it enter where the host server was there before the service."""
        try:
            await self.is_back(room, BY_ITSELF_S_MAX)
        except Failed:
            await self.wish("again", room)
            await self.is_back(room)


if __name__ == "__main__":
    tell(Converse())
