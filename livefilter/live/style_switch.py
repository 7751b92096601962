"""What draws in a live run: follows the wanted style, and comes back once from an engine that fails."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol

from livefilter.control.settings import SharedSettings
from livefilter.errors import EngineError, LivefilterError
from livefilter.frame import Image
from livefilter.inference.look import PLAIN, Look
from livefilter.inference.timings import Timings
from livefilter.live.loading import Loading

_log = logging.getLogger(__name__)

# An engine that fails again within this many frames of being reloaded is broken for good.
_FRAMES_TO_TRUST = 300
# A style that still loads this long after the end closes itself when it is there.
_LOADER_TIMEOUT_S = 0.5
# A style that is no longer wanted may go on loading this long before another one is begun beside it.
_LOADING_PATIENCE_S = 10.0


class FrameStyler(Protocol):
    """A loaded style, as livefilter.inference.styler.Styler is."""

    @property
    def timings(self) -> Timings: ...

    @property
    def takes_strength(self) -> bool: ...

    @property
    def person(self) -> Image | None: ...

    def composes(self, width: int, height: int) -> bool: ...

    def __call__(self, image: Image, look: Look = PLAIN) -> Image: ...

    def warm_up(self, width: int, height: int) -> None: ...

    def cancel(self) -> None: ...

    def close(self) -> None: ...


class StyleSwitch:
    """Holds the style that draws and loads the one that is wanted beside it.

    The thread that draws uses it; `reload` and `cancel` are for any.

    load: opens a style by name; called on the thread "style-loader" while frames keep flowing.
    first: the style to start with, already warm.
    """

    def __init__(
        self,
        load: Callable[[str], FrameStyler],
        first: FrameStyler,
        settings: SharedSettings,
        clock: Callable[[], float],
    ) -> None:
        self.style = settings.current.style
        self.styler = first
        self._load = load
        self._settings = settings
        self._clock = clock
        self._loading: Loading[FrameStyler] | None = None
        self._reloads: set[str] = set()
        self._good_frames = _FRAMES_TO_TRUST
        self._cancelled = False

    def follow(self, wanted: str, width: int, height: int) -> bool:
        """Take over a style that is loaded; start loading one that is wanted, warm for frames of width x height.

        Returns: whether another one draws from now on.
        """
        loading = self._loading
        if loading is None:
            if wanted != self.style or wanted in self._reloads:
                self._reloads.discard(wanted)
                self._loading = Loading(self._load, wanted, (width, height), self._clock())
            return False
        found = loading.take()
        if found is None:
            if wanted != loading.name and self._clock() - loading.began_at > _LOADING_PATIENCE_S:
                loading.abandon()  # a network that never answers may not keep other styles waiting
                self._loading = None
            return False
        self._loading = None
        if isinstance(found, LivefilterError):
            _log.warning("Style %s could not be loaded: %s", loading.name, found)
            if wanted == loading.name:
                self._settings.change(style=self.style, notice=f"Staying with {self.style}: {found}")
            return False
        if wanted != loading.name:
            found.close()  # the wish changed meanwhile
            return False
        self._replace(wanted, found, _FRAMES_TO_TRUST)
        return True

    def reload(self, style: str) -> None:
        """Load a style anew beside the frames, if it is on screen, and swap as between styles; from any thread."""
        self._reloads.add(style)

    def count_good(self) -> None:
        """Note that a frame was drawn: an engine is trusted again after enough of them."""
        self._good_frames += 1

    def recover(self, error: EngineError) -> None:
        """Load the style that draws anew, while frames wait.

        Raises: EngineError: `error` itself, where its engine was loaded anew only just before, or was cancelled.
        """
        if self._cancelled or self._good_frames < _FRAMES_TO_TRUST:
            raise error
        _log.warning("%s Loading %s again.", error, self.style)
        self.styler.close()
        self._replace(self.style, self._load(self.style), 0)

    def cancel(self) -> None:
        """Cut short the frame that is being styled, where the engine can; there will be no other one."""
        self._cancelled = True
        self.styler.cancel()

    def close(self) -> None:
        """Free the engines. Can be called twice."""
        if self._loading is not None:
            self._loading.abandon(_LOADER_TIMEOUT_S)
            self._loading = None
        self.styler.close()

    def _replace(self, name: str, styler: FrameStyler, good_frames: int) -> None:
        self.styler.close()
        self.styler, self.style, self._good_frames = styler, name, good_frames
