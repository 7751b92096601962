"""Person and room: puts a frame together of what each of the two is to be, by a mask of that very frame."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np

from livefilter.control.parts import BLUR, PICTURE, RAW, ROOMS, STYLED, TRANSPARENT
from livefilter.control.settings import LiveSettings, SharedSettings
from livefilter.cutout import CHROMA, Cutout
from livefilter.errors import EngineError, LivefilterError
from livefilter.frame import Image
from livefilter.inference.look import Look, blend, share_of
from livefilter.inference.mask import Mask, nobody, reduced
from livefilter.inference.steady import Steady
from livefilter.inference.timings import Timings
from livefilter.live.beside import Beside
from livefilter.live.governor.ladder_styler import LadderStyler
from livefilter.live.person_crop import Drawn, PersonCrop
from livefilter.live.person_network import SIDE, lit
from livefilter.live.room_picture import RoomPicture
from livefilter.live.style_switch import FrameStyler

_log = logging.getLogger(__name__)
FINDER = "_person"
_BLURRED_SIDE = 90
_PERSON_SHARE = np.float32(0.02)


@dataclass(frozen=True)
class _Found:
    """What a frame's mask says. empty: nobody is in it."""

    mask: Mask
    empty: bool


class PersonRoom:
    """Composes person and room; without a mask that can be trusted the whole frame is styled.

    load_style: opens the style of a room. load_finder: opens what finds people where the style's network does not tell.
    picture: what the room can show, if there is something; closed with this.
    crop: what draws the person's style where they are, beside a room in another one; closed with this.
    waits: networks are loaded at once, and what goes wrong with them is raised: for what is drawn only once.
    steady: the mask is kept still where the scene is.
    """

    def __init__(
        self,
        load_style: Callable[[str], FrameStyler],
        load_finder: Callable[[str], FrameStyler],
        settings: SharedSettings,
        clock: Callable[[], float],
        picture: RoomPicture | None = None,
        *,
        crop: PersonCrop | None = None,
        waits: bool = False,
        steady: bool = False,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._steady = Steady() if steady else None
        self._crop = crop
        self._rooms = Beside(load_style, clock, self._refuse_room, waits=waits)
        self._finder = Beside(load_finder, clock, self._refuse_all, waits=waits)
        self._picture = picture
        self._waits = waits
        self._nothing = np.empty((0, 0, 3), np.uint8)
        self._thread: ThreadPoolExecutor | None = None
        self._begun: tuple[Image, Future[_Found | None] | None] | None = None
        self._around: tuple[Image, Image | None] | None = None  # a frame, and its room if that could be drawn

    def ahead(self, original: Image) -> None:
        """Begin to find the people in a frame, on a thread of its own, while its style is drawn.

        For a style whose network does not tell. `__call__` with this very picture takes what was found.
        """
        finder, self._around = self._ready_finder(original), None
        if finder is None:
            self._begun = original, None
            return
        self._thread = self._thread or ThreadPoolExecutor(1, thread_name_prefix="person")
        self._begun = original, self._thread.submit(self._looked_for, finder, original)

    def part(self, original: Image, wanted: LiveSettings, style: str, styler: FrameStyler, look: Look) -> Drawn | None:
        """A frame in the person's style where people are, once `ahead` has begun on it; None where it is to be drawn as
        a whole: the room has no style of its own, or that is not loaded or fails, or it would save too little.

        The room is drawn first, while people are looked for, and kept for `__call__`: where it fails, nothing else was
        drawn in vain.
        style, styler: what draws the person's style. look: as of Styler.
        Returns: see PersonCrop.draw, or black where nobody is there; only for `__call__`, for around the people it is
            not drawn.
        """
        if self._crop is None or not isinstance(styler, LadderStyler):
            return None
        if wanted.person != STYLED or wanted.room in ROOMS or not self._rooms.holds(wanted.room):
            return None
        begun = self._begun
        if begun is None or begun[0] is not original or begun[1] is None:
            return None
        room = self._styled_room(original, wanted)
        self._around = original, room
        if room is None:
            return None
        try:
            found = begun[1].result()
        except EngineError:
            return None  # it is told of when the frame is put together
        if found is None:
            return None
        if found.empty:
            styler.skip(original, look, rests=True)
            return Drawn(np.zeros_like(original), Timings(0.0, 0.0, 0.0))
        return self._crop.draw(original, found.mask.box, style, styler, look)

    def __call__(
        self, original: Image, styled: Image, told: Image | None, wanted: LiveSettings
    ) -> tuple[Image, Cutout | None]:
        """Put a frame together.

        original, styled: (H, W, 3) uint8 BGR of one size. told: the mask that the style's network gave for this frame.
        Returns: the picture, `styled` itself where nothing is to do or can be trusted, and the person cut out
            where the room is transparent.
        """
        found = self._found(original) if told is None else self._read(told, original, reduced(original, SIDE))
        if found is None:
            return styled, None
        if found.empty and (wanted.room == RAW or (wanted.room == BLUR and wanted.person == RAW)):
            return styled, None  # somebody whom the mask has missed must not be shown
        room = self._room(original, styled, wanted, found.mask)
        if room is None or (found.empty and wanted.room == STYLED):
            return styled, None
        if found.empty and wanted.room not in ROOMS:
            return room, None  # the person's style may not even be drawn
        person = original if wanted.person == RAW else styled
        if person is room:
            return person, None
        try:
            image = found.mask.together(person, room, over=wanted.room == BLUR)
        except (cv2.error, ValueError) as error:  # a mask that cannot be used is none
            _log.warning("The mask of a frame cannot be used: %s", error)
            return styled, None
        return image, Cutout(lambda: found.mask.cut_out(person)) if wanted.room == TRANSPARENT else None

    def close(self) -> None:
        """Free the networks and the picture. Can be called twice."""
        if self._thread is not None:
            self._thread.shutdown(cancel_futures=True)
        if self._crop is not None:
            self._crop.close()
        self._rooms.close()
        self._finder.close()
        if self._picture is not None:
            self._picture.close()

    def _ready_finder(self, original: Image) -> FrameStyler | None:
        return self._finder.get(FINDER, original.shape[1], original.shape[0])

    def _found(self, original: Image) -> _Found | None:
        begun, self._begun = self._begun, None
        try:
            if begun is not None and begun[0] is original:
                return None if begun[1] is None else begun[1].result()
            finder = self._ready_finder(original)
            return None if finder is None else self._looked_for(finder, original)
        except EngineError as error:
            if self._waits:
                raise
            self._finder.drop()
            self._refuse_all(FINDER, str(error))
            return None

    def _looked_for(self, finder: FrameStyler, original: Image) -> _Found | None:
        small = reduced(original, SIDE)
        finder(lit(small))
        return self._read(finder.person, original, small)

    def _read(self, coarse: Image | None, original: Image, small: Image) -> _Found | None:
        """None where there is no mask, or none that can be used. small: a copy of `original`."""
        if coarse is None or coarse.size == 0:
            return None
        try:
            if self._steady is not None:
                coarse = self._steady(small, coarse, 1.0, self._clock())
            return _Found(Mask(coarse, original, small), nobody(coarse))
        except (cv2.error, ValueError) as error:
            _log.warning("The mask of a frame cannot be used: %s", error)
            return None

    def _room(self, original: Image, styled: Image, wanted: LiveSettings, mask: Mask) -> Image | None:
        """The picture around the person; None while it is not there."""
        if wanted.room == STYLED:
            return styled
        if wanted.room == RAW:
            return original
        if wanted.room == BLUR:
            return _blurred(original if wanted.person == RAW else styled, mask)
        if wanted.room == TRANSPARENT:
            if self._nothing.shape != styled.shape:
                self._nothing = np.full_like(styled, CHROMA)
            return self._nothing
        if wanted.room == PICTURE:
            return self._background(styled.shape[1], styled.shape[0])
        around, self._around = self._around, None
        if around is not None and around[0] is original:
            return around[1]
        return self._styled_room(original, wanted)

    def _styled_room(self, original: Image, wanted: LiveSettings) -> Image | None:
        styler = self._rooms.get(wanted.room, original.shape[1], original.shape[0])
        if styler is None:
            return None
        try:
            drawn = styler(original, Look(wanted.strength, finish=False))
        except EngineError as error:
            if self._waits:
                raise
            self._rooms.drop()
            self._refuse_room(wanted.room, str(error))
            return None
        return blend(original, drawn, share_of(wanted.strength, styler.takes_strength))

    def _background(self, width: int, height: int) -> Image | None:
        if self._picture is None:
            return None
        try:
            return self._picture.at(width, height)
        except LivefilterError as error:
            if self._waits:
                raise
            self._refuse_room(PICTURE, str(error))
            return None

    def _refuse_room(self, name: str, why: str) -> None:
        if self._settings.current.room == name:
            self._settings.change(room=STYLED, notice=f"The room stays as the person: {why}")

    def _refuse_all(self, _name: str, why: str) -> None:
        self._settings.change(person=STYLED, room=STYLED, notice=f"Person and room stay one: {why}")


def _blurred(image: Image, mask: Mask) -> Image:
    """So that no face and no book's back can be made out: shrunk, smoothed, enlarged.

    People have next to no share in it, or their colours would glow around them.
    """
    small = reduced(image, _BLURRED_SIDE)
    wide = max(3, min(small.shape[:2]) // 8) | 1
    share = np.maximum(mask.room(small.shape[1], small.shape[0]), _PERSON_SHARE)[..., None]
    soft = cv2.GaussianBlur(small * share, (wide, wide), 0) / cv2.GaussianBlur(share, (wide, wide), 0)[..., None]
    size = (image.shape[1], image.shape[0])
    return np.asarray(cv2.resize(np.rint(soft).astype(np.uint8), size, interpolation=cv2.INTER_LINEAR), np.uint8)


def no_networks(name: str) -> FrameStyler:
    """For a stylist that was given nothing to load a second network with.

    Raises: LivefilterError: always.
    """
    raise LivefilterError(f"{name} cannot be loaded beside the style here. Use `livefilter run`.")
