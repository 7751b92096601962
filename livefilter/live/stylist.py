"""The inference stage of a live run: styles frames, follows the settings, switches styles without a gap."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

import cv2
import numpy as np

from livefilter.control.settings import LiveSettings, SharedSettings
from livefilter.errors import EngineError, LivefilterError
from livefilter.frame import Frame, Image
from livefilter.inference.look import PLAIN, Look, with_split
from livefilter.inference.styler import Timings, blend
from livefilter.live.loading import Loading
from livefilter.metrics import Metrics
from livefilter.nv12 import nv12_to_bgr

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

    def composes(self, width: int, height: int) -> bool: ...

    def __call__(self, image: Image, look: Look = PLAIN) -> Image: ...

    def warm_up(self, width: int, height: int) -> None: ...

    def cancel(self) -> None: ...

    def close(self) -> None: ...


class LiveStylist:
    """Styles frames with the wanted style; an unstyled one leaves only by bypass, compare or strength.

    load: opens a style by name; called on the thread "style-loader" while frames keep flowing.
    first: the style to start with, already warm. on_close: called once the engines are freed.
    """

    def __init__(
        self,
        load: Callable[[str], FrameStyler],
        first: FrameStyler,
        settings: SharedSettings,
        metrics: Metrics,
        fade_s: float = 0.25,
        clock: Callable[[], float] = time.perf_counter,
        on_close: Callable[[], None] = lambda: None,
    ) -> None:
        self.style = settings.current.style
        self._load = load
        self._styler = first
        self._settings = settings
        self._metrics = metrics
        self._fade_s = fade_s
        self._clock = clock
        self._last: Frame | None = None
        self._cancelled = False
        self._held: Frame | None = None
        self._look: tuple[object, ...] = ()
        self._last_styled: Image | None = None
        self._last_mirrored = False
        self._fade_from: Image | None = None
        self._last_raw = self._fade_raw = ""
        self._fade_started = 0.0
        self._good_frames = _FRAMES_TO_TRUST
        self._loading: Loading[FrameStyler] | None = None
        self._on_close = on_close
        self._reloads: set[str] = set()

    def __call__(self, frame: Frame) -> Frame:
        """Style one frame by the settings of this moment.

        Returns: a frame of the same size, number and capture time; while frozen the last one again, composed
            anew when a setting changes that shows in it; bypass does not get into a frozen picture.
        Raises: EngineError: the engine failed, was loaded again, and failed again.
        """
        settings = self._settings.current
        self._follow(settings.style, frame)
        look = (
            self.style,
            settings.strength,
            settings.compare,
            settings.split,
            settings.bypass,
            settings.mirror_output,
        )
        if settings.frozen and self._held is not None and self._last is not None:
            if settings.bypass or (look == self._look and self._fade_from is None):
                self._last = replace(self._last, frozen=True)
                return self._last
            frame = self._held  # so that a raw picture that was frozen goes when bypass ends
        self._held, self._look = frame, look
        image, finished = (frame.image, False) if settings.bypass else self._style(frame, settings)
        if not settings.bypass:
            # Of a fade from a picture that showed the camera, a part still shows it.
            self._last_raw = settings.raw or (self._fade_raw if self._fade_from is not None else "")
        raw = settings.raw or self._last_raw
        if finished:
            self._last_styled, self._last_mirrored = image, settings.mirror_output
        else:
            if not settings.bypass:
                image = self._compose(frame.image, nv12_to_bgr(image), settings)
            image = _flipped(image) if settings.mirror_output else image
        self._last = replace(frame, image=image, raw=raw, frozen=settings.frozen)
        return self._last

    def may_show(self, frame: Frame) -> bool:
        """Whether a picture of an earlier moment shows no more of the camera than is wanted at this one."""
        return not frame.raw or self._settings.current.raw in ("Raw camera", frame.raw)

    def cancel(self) -> None:
        """Cut short the frame that is being styled, where the engine can; there will be no other one."""
        self._cancelled = True
        self._styler.cancel()

    def close(self) -> None:
        """Free the engines. Can be called twice."""
        if self._loading is not None:
            self._loading.abandon(_LOADER_TIMEOUT_S)
            self._loading = None
        self._styler.close()
        self._on_close()

    @property
    def styler(self) -> FrameStyler:
        """What draws now; a style that is being loaded is not it yet."""
        return self._styler

    @property
    def original(self) -> Frame | None:
        """The newest frame as it was captured."""
        return self._held

    def reload(self, style: str) -> None:
        """Load a style anew beside the frames, if it is on screen, and swap as between styles; from any thread."""
        self._reloads.add(style)

    def _follow(self, wanted: str, frame: Frame) -> None:
        """Take over a style that is loaded; start loading one that is wanted."""
        loading = self._loading
        if loading is None:
            if wanted != self.style or wanted in self._reloads:
                self._reloads.discard(wanted)
                self._loading = Loading(self._load, wanted, (frame.width, frame.height), self._clock())
            return
        found = loading.take()
        if found is None:
            if wanted != loading.name and self._clock() - loading.began_at > _LOADING_PATIENCE_S:
                loading.abandon()  # a network that never answers may not keep other styles waiting
                self._loading = None
            return
        self._loading = None
        if isinstance(found, LivefilterError):
            _log.warning("Style %s could not be loaded: %s", loading.name, found)
            if wanted == loading.name:
                self._settings.change(style=self.style, notice=f"Staying with {self.style}: {found}")
        elif wanted == loading.name:
            self._swap(wanted, found)
        else:
            found.close()  # the wish changed meanwhile

    def _swap(self, name: str, styler: FrameStyler) -> None:
        self._styler.close()
        self._styler, self.style = styler, name
        self._good_frames = _FRAMES_TO_TRUST
        if self._fade_s > 0 and self._last_styled is not None:
            last = nv12_to_bgr(self._last_styled)
            self._fade_raw = self._last_raw
            self._fade_from, self._fade_started = _flipped(last) if self._last_mirrored else last, self._clock()

    def _style(self, frame: Frame, settings: LiveSettings) -> tuple[Image, bool]:
        """The styled picture, and whether it is finished: a GPU did all that `_compose` and the mirror do."""
        look = Look(settings.strength, settings.compare, settings.mirror_output, frame.width, settings.split)
        try:
            styled = self._run(frame.image, look)
        except EngineError as error:
            if self._cancelled or self._good_frames < _FRAMES_TO_TRUST:
                raise
            _log.warning("%s Loading %s again.", error, self.style)
            self._good_frames = 0
            self._styler.close()
            self._styler = self._load(self.style)
            styled = self._run(frame.image, look)
        self._good_frames += 1
        timings = self._styler.timings
        self._metrics.record("preprocess", timings.preprocess_ms / 1000)
        self._metrics.record("inference", timings.inference_ms / 1000)
        self._metrics.record("postprocess", timings.postprocess_ms / 1000)
        return styled

    def _run(self, image: Image, look: Look) -> tuple[Image, bool]:
        composes = self._fade_from is None and self._styler.composes(look.width, image.shape[0])
        finished = composes or (self._fade_from is None and look == Look(width=look.width, split=look.split))
        return self._styler(image, look if composes else PLAIN), finished

    def _compose(self, original: Image, styled: Image, settings: LiveSettings) -> Image:
        image = self._faded(blend(original, styled, settings.strength))
        self._last_styled, self._last_mirrored = image, False
        return with_split(original, image, settings.split) if settings.compare else image

    def _faded(self, image: Image) -> Image:
        if self._fade_from is None:
            return image
        share = (self._clock() - self._fade_started) / self._fade_s
        if share >= 1 or self._fade_from.shape != image.shape:
            self._fade_from = None
            return image
        return blend(self._fade_from, image, share)


def _flipped(image: Image) -> Image:
    return np.asarray(cv2.flip(image, 1), np.uint8)
