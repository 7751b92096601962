"""A second network that runs beside the style on screen: the style of the room, or what finds people."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Generic, TypeVar

from livefilter.errors import LivefilterError
from livefilter.live.loading import Loadable, Loading

_log = logging.getLogger(__name__)
_LOADER_TIMEOUT_S = 0.5

Network = TypeVar("Network", bound=Loadable)


class Beside(Generic[Network]):
    """Loads a network by name while frames keep flowing, and holds the newest one that was wanted.

    load: opens it; called on a thread of its own. refused: told why one cannot be had, once.
    waits: it is loaded by whoever wants it, who waits for it and gets the error.
    """

    def __init__(
        self,
        load: Callable[[str], Network],
        clock: Callable[[], float],
        refused: Callable[[str, str], None],
        *,
        waits: bool = False,
    ) -> None:
        self._waits = waits
        self._load, self._clock, self._refused = load, clock, refused
        self._held: tuple[str, Network] | None = None
        self._loading: Loading[Network] | None = None

    def holds(self, name: str) -> bool:
        """Whether the network of that name is there."""
        return self._held is not None and self._held[0] == name

    def get(self, name: str, width: int, height: int) -> Network | None:
        """The network of that name, warm for frames of width x height; None until it is there.

        Raises: LivefilterError: it cannot be had; only where this waits.
        """
        if self._held is not None and self._held[0] == name:
            return self._held[1]
        if self._waits:
            self.drop()
            self._held = (name, self._load(name))
            return self._held[1]
        if self._loading is None:
            self._loading = Loading(self._load, name, (width, height), self._clock())
            return None
        found = self._loading.take()
        if found is None:
            return None
        loaded, self._loading = self._loading.name, None
        if isinstance(found, LivefilterError):
            _log.warning("%s could not be loaded: %s", loaded, found)
            if loaded == name:
                self._refused(name, str(found))
            return None
        if loaded != name:
            found.close()
            return None
        self.drop()
        self._held = (name, found)
        return found

    def drop(self) -> None:
        """Free what is held; for one that is not wanted any more, or that failed."""
        if self._held is not None:
            self._held[1].close()
            self._held = None

    def close(self) -> None:
        """Free everything. Can be called twice."""
        if self._loading is not None:
            self._loading.abandon(_LOADER_TIMEOUT_S)
            self._loading = None
        self.drop()
