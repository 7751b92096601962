"""Person and room: puts a frame together of what each of the two is to be, by a mask of that very frame."""

from __future__ import annotations

import logging
from collections.abc import Callable

import cv2
import numpy as np

from livefilter.control.parts import BLUR, PICTURE, RAW, STYLED, TRANSPARENT
from livefilter.control.settings import LiveSettings, SharedSettings
from livefilter.cutout import CHROMA
from livefilter.errors import EngineError, LivefilterError
from livefilter.frame import Image
from livefilter.inference.look import Look, blend, share_of
from livefilter.inference.mask import Mask, nobody, reduced
from livefilter.live.beside import Beside
from livefilter.live.person_network import SIDE
from livefilter.live.room_picture import RoomPicture
from livefilter.live.style_switch import FrameStyler

_log = logging.getLogger(__name__)
FINDER = "_person"
_BLURRED_SIDE = 90


class PersonRoom:
    """Composes person and room; without a mask that can be trusted the whole frame is styled.

    load_style: opens the style of a room. load_finder: opens what finds people where the style's network does not tell.
    picture: what the room can show, if there is something; closed with this.
    waits: networks are loaded at once, and what goes wrong with them is raised: for what is drawn only once.
    """

    def __init__(
        self,
        load_style: Callable[[str], FrameStyler],
        load_finder: Callable[[str], FrameStyler],
        settings: SharedSettings,
        clock: Callable[[], float],
        picture: RoomPicture | None = None,
        *,
        waits: bool = False,
    ) -> None:
        self._settings = settings
        self._rooms = Beside(load_style, clock, self._refuse_room, waits=waits)
        self._finder = Beside(load_finder, clock, self._refuse_all, waits=waits)
        self._picture = picture
        self._waits = waits
        self._nothing = np.empty((0, 0, 3), np.uint8)

    def __call__(
        self, original: Image, styled: Image, told: Image | None, wanted: LiveSettings
    ) -> tuple[Image, Image | None]:
        """Put a frame together.

        original, styled: (H, W, 3) uint8 BGR of one size. told: the mask that the style's network gave for this frame.
        Returns: the picture, `styled` itself where nothing is to do or can be trusted, and the person cut out, BGRA,
            where the room is transparent.
        """
        small = reduced(original, SIDE)
        coarse = told if told is not None else self._found(small)
        if coarse is None or coarse.size == 0:
            return styled, None
        empty = nobody(coarse)
        if empty and (wanted.room == RAW or (wanted.room == BLUR and wanted.person == RAW)):
            return styled, None  # somebody whom the mask has missed must not be shown
        room = self._room(original, styled, wanted)
        if room is None:
            return styled, None
        if empty and wanted.room == STYLED:
            return styled, None
        person = original if wanted.person == RAW else styled
        if person is room:
            return person, None
        try:
            mask = Mask(coarse, original, small)
            image = mask.together(person, room)
        except (cv2.error, ValueError) as error:  # a mask that cannot be used is none
            _log.warning("The mask of a frame cannot be used: %s", error)
            return styled, None
        return image, mask.cut_out(person) if wanted.room == TRANSPARENT else None

    def close(self) -> None:
        """Free the networks and the picture. Can be called twice."""
        self._rooms.close()
        self._finder.close()
        if self._picture is not None:
            self._picture.close()

    def _found(self, small: Image) -> Image | None:
        finder = self._finder.get(FINDER, small.shape[1], small.shape[0])
        if finder is None:
            return None
        try:
            finder(small)
        except EngineError as error:
            if self._waits:
                raise
            self._finder.drop()
            self._refuse_all(FINDER, str(error))
            return None
        return finder.person

    def _room(self, original: Image, styled: Image, wanted: LiveSettings) -> Image | None:
        """The picture around the person; None while it is not there."""
        if wanted.room == STYLED:
            return styled
        if wanted.room == RAW:
            return original
        if wanted.room == BLUR:
            return _blurred(original if wanted.person == RAW else styled)
        if wanted.room == TRANSPARENT:
            if self._nothing.shape != styled.shape:
                self._nothing = np.full_like(styled, CHROMA)
            return self._nothing
        if wanted.room == PICTURE:
            return self._background(styled.shape[1], styled.shape[0])
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


def _blurred(image: Image) -> Image:
    """So that no face and no book's back can be made out: shrunk, smoothed, enlarged."""
    small = reduced(image, _BLURRED_SIDE)
    wide = max(3, min(small.shape[:2]) // 8) | 1
    soft = cv2.GaussianBlur(small, (wide, wide), 0)
    size = (image.shape[1], image.shape[0])
    return np.asarray(cv2.resize(soft, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def no_networks(name: str) -> FrameStyler:
    """For a stylist that was given nothing to load a second network with.

    Raises: LivefilterError: always.
    """
    raise LivefilterError(f"{name} cannot be loaded beside the style here. Use `livefilter run`.")
