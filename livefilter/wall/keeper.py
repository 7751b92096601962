"""What starts and ends the processes of streams on one machine, for a wall elsewhere. It knows nothing of Ray."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from livefilter import __version__
from livefilter.wall.hosts import Hosts
from livefilter.wall.process import Running
from livefilter.wall.stream import LATER

# Of each stream, by its number: what it has told since the last question, and its exit code.
Told: TypeAlias = dict[int, tuple[list[dict[str, Any]], "int | None"]]


class Keeper:
    """Keeps the processes of streams, by numbers that the wall gives them.

    When it ends, their stdin does, and so they end too. start: as of Hosts.
    """

    def __init__(self, start: Callable[[Mapping[str, Any], bool], Running] | None = None) -> None:
        self._start = start or Hosts().start
        self._running: dict[int, Running] = {}
        self._failed: Told = {}

    def hello(self) -> tuple[str, str]:
        """The name of this machine, and the version of livefilter on it."""
        return platform.node(), __version__

    def start(self, number: int, settings: Mapping[str, Any], together: bool = False) -> None:
        """Start a stream, together with others like it or alone; what goes wrong is told as its end."""
        try:
            self._running[number] = self._start(settings, together)
        except OSError as error:
            self._failed[number] = [{"error": f"Its process cannot be started: {error}."}], LATER

    def end(self, number: int, force: bool) -> None:
        """End a stream, if it still runs."""
        running = self._running.get(number)
        if running is not None:
            running.kill() if force else running.end()

    def told(self) -> Told:
        """How all streams are; one that has ended is told of once more."""
        told, self._failed = self._failed, {}
        for number, running in list(self._running.items()):
            code = running.code()
            told[number] = running.told(), code
            if code is not None:
                del self._running[number]
        return told
