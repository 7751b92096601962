"""The wall, as the API shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from livefilter.errors import InvalidInput
from livefilter.wall.wall import Wall
from livefilter.web.site import EmptyRoom


class WallRoom(EmptyRoom):
    """Tells how the streams are, and lets a machine be left."""

    def __init__(self, wall: Wall) -> None:
        self._wall = wall

    def state(self) -> dict[str, Any]:
        machines = self._wall.machines
        told = {"machines": machines.state()} if machines is not None else {}
        return {"live": False, "streams": self._wall.state(), **told}

    def meters(self) -> dict[str, Any]:
        return {"streams": self._wall.meters()}

    def perform(self, action: str, values: Mapping[str, Any]) -> None:
        """The one action is `drain`, with the name of a machine. Raises: InvalidInput."""
        machines = self._wall.machines
        if action != "drain" or set(values) != {"machine"}:
            raise InvalidInput(f"A wall does not do {action[:60]}.", fix="It takes the action drain, with machine.")
        if machines is None:
            raise InvalidInput(
                "This wall runs on one machine alone, and its streams have nowhere to go.",
                fix="Start it with --cluster to run it on several.",
            )
        machines.drain(str(values["machine"]))
