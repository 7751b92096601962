"""A style that is loaded beside the frames."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from livefilter.errors import EngineError, LivefilterError

_log = logging.getLogger(__name__)


class Loadable(Protocol):
    """What is loaded: warm before it is handed over, and closed by whoever has it last."""

    def warm_up(self, width: int, height: int) -> None: ...

    def close(self) -> None: ...


Styler = TypeVar("Styler", bound=Loadable)


class Loading(Generic[Styler]):
    """Loads one style on a thread of its own, from construction on.

    size: (width, height) of the frames in pixels. began_at: seconds, on the clock of whoever waits.
    """

    def __init__(self, load: Callable[[str], Styler], name: str, size: tuple[int, int], began_at: float) -> None:
        self.name, self.began_at = name, began_at
        self._load, self._size = load, size
        self._found: Styler | LivefilterError | None = None
        self._lock = threading.Lock()
        self._abandoned = False
        # A daemon, so that an engine that takes minutes to build cannot keep the program from ending.
        self._thread = threading.Thread(target=self._run, name="style-loader", daemon=True)
        self._thread.start()

    def take(self) -> Styler | LivefilterError | None:
        """The loaded style, once, or why there is none; None while it is loading."""
        with self._lock:
            found, self._found = self._found, None
        return found

    def abandon(self, wait_s: float = 0.0) -> None:
        """Close what was loaded, or what will be. wait_s: seconds to wait for it here."""
        with self._lock:
            self._abandoned = True
            found, self._found = self._found, None
        if found is not None and not isinstance(found, LivefilterError):
            found.close()
        if wait_s > 0:
            self._thread.join(wait_s)

    def _run(self) -> None:
        found: Styler | LivefilterError
        try:
            found = self._load(self.name)
            found.warm_up(*self._size)
        except LivefilterError as error:
            found = error
        except Exception as error:  # whatever a runtime throws, the running style goes on
            _log.exception("Style %s could not be loaded", self.name)
            found = EngineError(f"Style {self.name} could not be loaded: {error}")
        with self._lock:
            if not self._abandoned:
                self._found = found
                return
        if not isinstance(found, LivefilterError):
            found.close()
