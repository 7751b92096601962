"""The wall, as the API shows it."""

from __future__ import annotations

from typing import Any

from livefilter.wall.wall import Wall
from livefilter.web.site import EmptyRoom


class WallRoom(EmptyRoom):
    """Tells how the streams are, and steers nothing."""

    def __init__(self, wall: Wall) -> None:
        self._wall = wall

    def state(self) -> dict[str, Any]:
        return {"live": False, "streams": self._wall.state()}

    def meters(self) -> dict[str, Any]:
        return {"streams": self._wall.meters()}
