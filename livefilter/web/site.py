"""What every part of the web server shares."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from livefilter.styles.catalogue import Catalogue, Style
from livefilter.web.answers import Refused
from livefilter.web.discreet import Told, names_only
from livefilter.web.picture import Picture
from livefilter.web.token import TokenFile


class Room(Protocol):
    """What is steered: a live run, or nothing but the photo page."""

    def state(self) -> dict[str, Any]:
        """Everything that a page shows but for what moves all the time; safe for JSON."""

    def meters(self) -> dict[str, Any]:
        """Rates, delays and drops of this moment; safe for JSON."""

    def perform(self, action: str, values: Mapping[str, Any]) -> None:
        """Carry out an action of the table. Raises: LivefilterError."""

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` when the state changes, on any thread. Returns: what ends that."""


class EmptyRoom:
    """Nothing to steer yet."""

    def state(self) -> dict[str, Any]:
        return {"live": False}

    def meters(self) -> dict[str, Any]:
        return {}

    def perform(self, action: str, values: Mapping[str, Any]) -> None:
        raise Refused(503, f"{action} was not done.", "No live run is on.", "Start one: livefilter run.", retry_s=2)

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        return lambda: None


@dataclass
class Site:
    """Shared by the routes; all but `picture` is used on the server's own thread.

    styles: those there were when the server started.
    features: names of what else is mounted, such as the photo page, and what they need.
    """

    picture: Picture
    token: TokenFile
    port: int = 0
    lan: bool = False
    styles: Sequence[Style] = field(default_factory=lambda: Catalogue().styles)
    room: Room = field(default_factory=EmptyRoom)
    features: dict[str, Any] = field(default_factory=dict)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    sockets: int = 0

    def told(self, value: Told, *, elsewhere: bool) -> Told:
        """What is told, safe for JSON; `elsewhere`, without the places of files on this computer."""
        return names_only(value, self.room.state(), self.features.get("folders", ())) if elsewhere else value
