"""Whether somebody has a device open, without asking its driver."""

from __future__ import annotations

from livefilter.closeable import Closeable
from livefilter.device_users import programs_using


class Watchers(Closeable):
    """Follows who opens and closes a Linux device; what this program itself held open before does not count.

    The kernel's file events tell (inotify), for every version of the driver and every user. A program in a container
    with a device node of its own is not seen.
    """

    def __init__(self, path: str) -> None:
        from inotify_simple import INotify, flags

        self._path = path
        self._opened = flags.OPEN
        self._events = INotify()
        self._events.add_watch(path, flags.OPEN | flags.CLOSE_WRITE | flags.CLOSE_NOWRITE)
        self._open = 0
        # Those who were there before are known by name only, and as far as we may see them.
        self._before = bool(programs_using(path))

    def any(self) -> bool:
        """Whether somebody has it open now; never waits. True once too often rather than once too rarely."""
        closed = False
        for event in self._events.read(timeout=0):
            if event.mask & self._opened:
                self._open += 1
            else:
                self._open = max(0, self._open - 1)
                closed = True
        if closed and self._before:
            self._before = bool(programs_using(self._path))
        return self._before or self._open > 0

    def close(self) -> None:
        self._events.close()
