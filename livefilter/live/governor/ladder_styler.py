"""A style that is ready at several sizes and changes between them from one frame to the next."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

import cv2
import numpy as np

from livefilter.errors import LivefilterError
from livefilter.frame import Image
from livefilter.inference.base import EngineInfo
from livefilter.inference.look import PLAIN, Look
from livefilter.inference.styler import Styler
from livefilter.inference.timings import Timings
from livefilter.live.governor.rung import Rung

_log = logging.getLogger(__name__)
FADE_S = 0.15


class LadderStyler:
    """Styles with one rung of a ladder. `want` and `prepare` are for the governor's thread, the rest for inference.

    rungs: cheapest first. first: what is open already, warm, and its index. open_rung: opens another one.
    on_use: told this object at each frame, so that the governor knows which style is on screen.
    rests: nothing was to be drawn in this style at the newest frame, which says nothing of what drawing takes.
    """

    def __init__(
        self,
        rungs: Sequence[Rung],
        first: tuple[int, Styler],
        open_rung: Callable[[Rung], Styler],
        on_use: Callable[[LadderStyler], None],
        fade_s: float = FADE_S,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._rungs = tuple(rungs)
        at, styler = first
        self._rung = self._wanted = self._rungs[at]
        self._stylers = {self._rung: styler}
        self._styler = styler
        self._info = styler.engine_info
        self._open_rung = open_rung
        self._on_use = on_use
        self._fade_s = fade_s
        self._clock = clock
        self._lock = threading.Lock()
        self._closed = False
        self._frame_size: tuple[int, int] | None = None
        self._last: Image | None = None
        self._fade: tuple[float, Image | Styler] | None = None
        self.thread_id: int | None = None
        self.rests = False

    @property
    def timings(self) -> Timings:
        """Of the newest frame; what a fade adds is not in it."""
        return self._styler.timings

    @property
    def rungs(self) -> tuple[Rung, ...]:
        """What can be chosen; a rung that could not be opened is gone from it."""
        return self._rungs

    @property
    def rung(self) -> Rung:
        """What styles now."""
        return self._rung

    @property
    def engine_info(self) -> EngineInfo:
        """What the current engine runs on, or ran on."""
        return self._info

    @property
    def network_size(self) -> str:
        """The size of the network that styles now."""
        return self._styler.network_size

    @property
    def working_size(self) -> int:
        """The shorter side in pixels at which frames are styled now."""
        return self._styler.working_size

    @property
    def size_reason(self) -> str | None:
        """Why the first size was chosen."""
        return self._styler.size_reason

    @property
    def takes_strength(self) -> bool:
        """Whether the network that drew the newest frame was given the strength, see Styler."""
        return self._styler.takes_strength

    @property
    def person(self) -> Image | None:
        """Where people are in the newest frame, see Styler."""
        return self._styler.person

    def composes(self, width: int, height: int) -> bool:
        """As Styler.composes; a fade is composed on the CPU."""
        return self._fade is None and self._wanted is self._rung and self._styler.composes(width, height)

    def __call__(self, image: Image, look: Look = PLAIN) -> Image:
        """Style one frame with the wanted rung, if it is open; as Styler does."""
        self._keep_up(image, look)
        self.rests = False
        styled = self._styler(image, look)
        styled = self._faded(image, styled, look)
        self._last = styled
        return styled

    def skip(self, image: Image, look: Look, *, rests: bool = False) -> None:
        """Keep up with what is wanted at a frame that something else draws in this style; or nothing, if it `rests`."""
        self._keep_up(image, look)
        self.rests = rests
        self._last, self._fade = None, None

    def warm_up(self, width: int, height: int) -> None:
        """Open the engine for frames of width x height and run it."""
        self._frame_size = (width, height)
        self._styler.warm_up(width, height)

    def want(self, rung: Rung) -> None:
        """Change to this rung at the next frame at which it is open."""
        self._wanted = rung

    def prepare(self) -> bool:
        """Open one rung that may be needed soon and is not open, and close those that will not be; False when done.

        Frames keep flowing meanwhile.
        """
        size = self._frame_size
        if size is None or self._closed:
            return False
        kept = self._near()
        with self._lock:
            gone = [rung for rung in self._stylers if rung not in kept and not self._in_use(rung)]
            closing = [self._stylers.pop(rung) for rung in gone]
            missing = [rung for rung in kept if rung not in self._stylers]
        for styler in closing:
            styler.close()
        if not missing:
            return False
        self._open(missing[0], size)
        return True

    def cancel(self) -> None:
        """Cut short the frame that is being styled, where the engine can. Any thread may call it."""
        with self._lock:
            stylers = [*self._stylers.values(), self._styler]
        for styler in stylers:
            styler.cancel()

    def close(self) -> None:
        """Free every engine. Can be called twice."""
        with self._lock:
            self._closed = True
            stylers, self._stylers, self._fade = list(self._stylers.values()), {}, None
        for styler in {id(styler): styler for styler in [*stylers, self._styler]}.values():
            styler.close()

    def _keep_up(self, image: Image, look: Look) -> None:
        self._on_use(self)
        self.thread_id = threading.get_native_id()
        self._note_size(image)
        self._follow(look)

    def _near(self) -> list[Rung]:
        """What to have open, most urgent first: the wanted one, those below, the cheapest, the next one above."""
        rungs, at = self._rungs, self._rungs.index(self._rung)
        near = [self._wanted, *rungs[max(0, at - 2) : at][::-1], rungs[0], *rungs[at + 1 : at + 2], self._rung]
        return [rung for rung in dict.fromkeys(near) if rung in rungs]

    def _in_use(self, rung: Rung) -> bool:
        fading = self._fade[1] if self._fade is not None else None
        return rung is self._rung or rung is self._wanted or self._stylers[rung] is fading

    def _open(self, rung: Rung, size: tuple[int, int]) -> None:
        try:
            styler = self._open_rung(rung)
            styler.warm_up(*size)
        except LivefilterError as error:
            _log.info("%s is left out: %s", rung, error)
            self._rungs = tuple(other for other in self._rungs if other != rung or other is self._rung)
            if self._wanted not in self._rungs:
                self._wanted = self._rung
            return
        with self._lock:
            if not self._closed and size == self._frame_size:
                self._stylers[rung] = styler
                return
        styler.close()

    def _note_size(self, image: Image) -> None:
        """When frames change their size, engines that are open for another one are of no use."""
        size = (image.shape[1], image.shape[0])
        if size == self._frame_size:
            return
        with self._lock:
            self._frame_size, self._fade, self._last = size, None, None
            others = [styler for styler in self._stylers.values() if styler is not self._styler]
            self._stylers = {self._rung: self._styler}
        for styler in others:
            styler.close()

    def _follow(self, look: Look) -> None:
        wanted = self._wanted
        if wanted is self._rung:
            return
        with self._lock:
            open_now = [rung for rung in self._rungs if rung in self._stylers]
            if wanted not in open_now:
                # On the way down anything that is cheaper helps at once.
                open_now = [rung for rung in open_now if wanted.cost <= rung.cost < self._rung.cost] or [self._rung]
                wanted = min(open_now, key=lambda rung: rung.cost)
            if wanted == self._rung:
                return
            climbs = wanted.cost > self._rung.cost
            before, self._rung, self._styler = self._styler, wanted, self._stylers[wanted]
            self._info = self._styler.engine_info
            # What a GPU has finished, and what is still to be blended otherwise than before, is not faded.
            alike = before.takes_strength == self._styler.takes_strength
            if self._fade_s > 0 and self._last is not None and alike and look.drawn(before.takes_strength):
                # There is time for both sizes where there is time for the larger one; where there is none, the last
                # picture has to do.
                self._fade = (self._clock(), before if climbs else self._last)

    def _faded(self, image: Image, styled: Image, look: Look) -> Image:
        fade = self._fade
        if fade is None:
            return styled
        started_s, source = fade
        share = (self._clock() - started_s) / self._fade_s
        before = (
            source(image, Look(strength=look.strength, finish=False))
            if isinstance(source, Styler) and share < 1
            else source
        )
        if share >= 1 or isinstance(before, Styler) or before.shape != styled.shape:
            self._fade = None
            return styled
        return np.asarray(cv2.addWeighted(before, 1.0 - share, styled, share, 0.0), np.uint8)
