"""Person and room of pictures that are drawn once: files and photos."""

from __future__ import annotations

import time
from collections.abc import Callable

from livefilter.control.parts import STYLED
from livefilter.control.settings import LiveSettings, SharedSettings
from livefilter.frame import Image
from livefilter.inference.base import EngineOptions
from livefilter.inference.styler import Styler
from livefilter.live.person_network import open_person_network
from livefilter.live.person_room import PersonRoom
from livefilter.live.room_picture import RoomPicture
from livefilter.live.style_switch import FrameStyler


class Parted:
    """Puts drawn pictures together of person and room, which may be of other sizes each time.

    backend, options: of what finds people. load_style: opens the style of a room. picture: what the room can show;
        closed with this.
    """

    def __init__(
        self,
        backend: str,
        options: EngineOptions,
        load_style: Callable[[str], FrameStyler],
        picture: RoomPicture | None = None,
    ) -> None:
        def load_finder(_name: str) -> Styler:
            return open_person_network(backend, options, *self._size)

        self._size = (0, 0)
        settings = SharedSettings(LiveSettings(STYLED))  # which nobody looks at: what goes wrong is raised
        self._parts = PersonRoom(load_style, load_finder, settings, time.perf_counter, picture, waits=True)

    def __call__(self, original: Image, styled: Image, told: Image | None, wanted: LiveSettings) -> Image:
        """Put a picture together; without a mask that can be trusted it is `styled` as a whole.

        original, styled: (H, W, 3) uint8 BGR. told: where people are, if the style's network tells.
        Returns: (H, W, 3) uint8 BGR, or BGRA with straight alpha where the room is transparent.
        Raises: LivefilterError: a network cannot be opened or failed.
        """
        if not wanted.parted:
            return styled
        self._size = original.shape[1], original.shape[0]
        image, cutout = self._parts(original, styled, told, wanted)
        return image if cutout is None else cutout.image

    def close(self) -> None:
        """Free the networks and the picture. Can be called twice."""
        self._parts.close()
