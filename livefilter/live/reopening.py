"""Opening an input again."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from livefilter.capture.base import Source
from livefilter.errors import InvalidInput, SourceUnavailable

_log = logging.getLogger(__name__)
_EVERY_S = 0.5


class Reopener:
    """Tries to open an input until it works or the run ends; used by one thread.

    reopen: opens it. stopping: set when the run ends. waiting_for: the name of what does not open now, if anything.
    """

    def __init__(self, reopen: Callable[[], Source], stopping: threading.Event) -> None:
        self.waiting_for: str | None = None
        self._reopen = reopen
        self._stopping = stopping

    def after_loss(self, name: str) -> Source | None:
        """The input again, once it can be opened; None when the run ends first."""
        self.waiting_for = name
        return self._opened(name, _EVERY_S)

    def after_rest(self, name: str) -> Source | None:
        """The input again, at once if it can be opened; None when the run ends first."""
        return self._opened(name, 0.0)

    def _opened(self, name: str, wait_s: float) -> Source | None:
        told = ""
        while not self._stopping.wait(wait_s):
            wait_s = _EVERY_S
            try:
                found = self._reopen()
            except (SourceUnavailable, InvalidInput) as still_gone:
                self.waiting_for = name
                if str(still_gone) != told:
                    told = str(still_gone)
                    _log.warning("Waiting for %s: %s", name, told)
                continue
            if self._stopping.is_set():
                found.close()
                return None
            if self.waiting_for:
                _log.warning("%s is back.", found.info.name)
            self.waiting_for = None
            return found
        return None
