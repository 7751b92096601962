"""The inference stage of a live run: styles frames by the settings of each moment."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from livefilter.control.parts import RAW, STYLED
from livefilter.control.settings import STRONGEST, LiveSettings, SharedSettings
from livefilter.cutout import Cutout
from livefilter.errors import EngineError
from livefilter.frame import Frame, Image
from livefilter.inference.look import Look, arranged, blend, flipped, share_of
from livefilter.inference.mask import nobody
from livefilter.live.fade import Fade
from livefilter.live.person_crop import Drawn
from livefilter.live.person_room import PersonRoom, no_networks
from livefilter.live.style_switch import FrameStyler, StyleSwitch
from livefilter.metrics import Metrics
from livefilter.nv12 import nv12_to_bgr


class LiveStylist:
    """Styles frames with the wanted style; an unstyled one leaves only by bypass, compare or strength.

    load, first: as of StyleSwitch. fade_s: how long one style fades into the next.
    on_close: called once the engines are freed. parts: what makes person and room look otherwise than the style.
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
        parts: PersonRoom | None = None,
    ) -> None:
        self._switch = StyleSwitch(load, first, settings, clock)
        self._fade = Fade(fade_s, clock)
        self._clock = clock
        self._settings = settings
        self._metrics = metrics
        self._on_close = on_close
        self._parts = parts or PersonRoom(no_networks, no_networks, settings, clock)
        self._tell_strongest()
        self._held: Frame | None = None
        self._shown: tuple[object, ...] | None = None
        self._last: Frame | None = None
        self._last_raw = ""

    def __call__(self, frame: Frame) -> Frame:
        """Style one frame by the settings of this moment.

        Returns: a frame of the same size, number and capture time; while frozen the last one again, composed
            anew when a setting changes that shows in it; bypass does not get into a frozen picture.
        Raises: EngineError: the engine failed, was loaded again, and failed again.
        """
        settings = self._settings.current
        if self._switch.follow(settings.style, frame.width, frame.height):
            self._fade.begin(self._last_raw)
        look = Look(settings.strength, settings.compare, settings.mirror_output, split=settings.split)
        shown = (self.style, settings.bypass, settings.person, settings.room, look)
        if settings.frozen and self._held is not None and self._last is not None:
            if settings.bypass or (shown == self._shown and not self._fade.running):
                self._last = replace(self._last, frozen=True)
                return self._last
            frame = self._held  # so that a raw picture that was frozen goes when bypass ends
        self._held, self._shown = frame, shown
        cutout: Cutout | None = None
        if settings.bypass:
            image, raw = flipped(frame.image) if look.mirror else frame.image, settings.raw
        else:
            image, cutout = self._finish(frame.image, look, settings)
            # Of a fade from a picture that showed the camera, a part still shows it.
            raw = self._last_raw = settings.raw or self._fade.raw
        self._last = replace(frame, image=image, raw=raw, frozen=settings.frozen, cutout=cutout)
        return self._last

    def may_show(self, frame: Frame) -> bool:
        """Whether a picture of an earlier moment shows no more of the camera than is wanted at this one."""
        return not frame.raw or self._settings.current.raw in ("Raw camera", frame.raw)

    def cancel(self) -> None:
        """Cut short the frame that is being styled, where the engine can; there will be no other one."""
        self._switch.cancel()

    def close(self) -> None:
        """Free the engines. Can be called twice."""
        self._switch.close()
        self._parts.close()
        self._on_close()

    @property
    def style(self) -> str:
        """The name of the style that draws now; one that is being loaded is not it yet."""
        return self._switch.style

    @property
    def styler(self) -> FrameStyler:
        """What draws now."""
        return self._switch.styler

    @property
    def original(self) -> Frame | None:
        """The newest frame as it was captured."""
        return self._held

    def reload(self, style: str) -> None:
        """Load a style anew beside the frames, if it is on screen, and swap as between styles; from any thread."""
        self._switch.reload(style)

    def _finish(
        self, image: Image, look: Look, settings: LiveSettings, *, whole: bool = False
    ) -> tuple[Image, Cutout | None]:
        """Style a picture and make of it what viewers see: a GPU does all of that in one pass, if it can.

        whole: it is to be styled as a whole, whatever becomes of it.
        Returns: the picture, and the person cut out, where the room is transparent.
        """
        alone = not self._fade.running and not settings.parted
        composes = (alone or self._parts_in_engine(settings)) and self._switch.styler.composes(*image.shape[1::-1])
        asked = Look(look.strength, finish=False)
        if composes:
            seen = {"person": settings.person == STYLED, "room": settings.room == STYLED}
            asked = replace(look, width=image.shape[1], **seen)
        part: Drawn | None = None
        parted_s, started = 0.0, self._clock()
        if settings.parted and not composes and self._switch.styler.person is None:
            self._parts.ahead(image)
            if not whole and not self._fade.running:
                part = self._parts.part(image, settings, self.style, self._switch.styler, asked)
            parted_s = self._clock() - started - (part.timings.total_ms / 1000 if part is not None else 0.0)
        try:
            styled = self._run(image, asked) if part is None else self._counted(part)
            if composes and not asked.room and self._found_nobody():
                # Somebody whom the mask has missed must not be shown.
                styled = self._run(image, replace(asked, person=True, room=True))
        except EngineError as error:
            self._switch.recover(error)
            return self._finish(image, look, settings, whole=whole)
        drawn_strength = self._switch.styler.takes_strength
        if composes or (alone and look.drawn(drawn_strength)):
            self._fade.remember(styled, mirrored=look.mirror)
            self._metrics.record("postprocess", self._switch.styler.timings.postprocess_ms / 1000)
            return styled, None
        blended = self._fade.mix(blend(image, nv12_to_bgr(styled), share_of(look.strength, drawn_strength)))
        self._fade.remember(blended)
        cutout: Cutout | None = None
        if settings.parted:
            started, drawn = self._clock(), blended
            blended, cutout = self._parts(image, drawn, self._switch.styler.person, settings)
            parted_s += self._clock() - started
            if part is not None:
                if blended is drawn:  # the room came to nothing in the meantime
                    return self._finish(image, look, settings, whole=True)
                self._fade.remember(blended)
        timings = self._switch.styler.timings if part is None else part.timings
        self._metrics.record("postprocess", timings.postprocess_ms / 1000 + parted_s)
        if cutout is not None:
            cutout = None if look.compare else (_mirrored(cutout) if look.mirror else cutout)
        return arranged(image, blended, look), cutout

    def _parts_in_engine(self, settings: LiveSettings) -> bool:
        """Whether a network that tells people apart can be asked for person and room as they are wanted."""
        plain = {settings.person, settings.room} <= {STYLED, RAW}
        return plain and not self._fade.running and self._switch.styler.person is not None

    def _found_nobody(self) -> bool:
        mask = self._switch.styler.person
        return mask is None or mask.size == 0 or nobody(mask)

    def _run(self, image: Image, look: Look) -> Image:
        styler = self._switch.styler
        styled = styler(image, look)
        return self._counted(Drawn(styled, styler.timings))

    def _counted(self, drawn: Drawn) -> Image:
        """What was drawn of a frame, once it is counted."""
        self._switch.count_good()
        self._tell_strongest()
        self._metrics.record("preprocess", drawn.timings.preprocess_ms / 1000)
        self._metrics.record("inference", drawn.timings.inference_ms / 1000)
        return drawn.image

    def _tell_strongest(self) -> None:
        """Say how far the strength goes with the network that draws now; a wish for more is kept for the next style."""
        now = self._settings.current
        strongest = STRONGEST if self._switch.styler.takes_strength else 1.0
        if strongest != now.strongest:
            over = {"notice": f"Strength 100%: {self.style} goes no further"} if now.strength > strongest else {}
            self._settings.change(strongest=strongest, **over)


def _mirrored(cutout: Cutout) -> Cutout:
    return Cutout(lambda: flipped(cutout.image))
