"""What the photo page needs of the rest of livefilter: styles for photos, and rendering of clips."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from livefilter.control.settings import LiveSettings
from livefilter.frame import Image
from livefilter.inference.base import EngineOptions
from livefilter.inference.selection import BUILT_AHEAD, choose_backend
from livefilter.inference.styler import Styler
from livefilter.live.open_files import file_openers
from livefilter.live.parted import Parted
from livefilter.render import render_path
from livefilter.styles.catalogue import Catalogue
from livefilter.web.clip_studio import ClipStudio
from livefilter.web.photo_studio import PhotoStudio, Wish
from livefilter.web.photo_styling import FACES

_DRAWS = EngineOptions(people=False)  # a photo has other sizes than networks find people at


def photo_features(catalogue: Catalogue) -> dict[str, Any]:
    """The photo page's own part of a site's features."""

    def open_for_photos(style: str, network: str) -> Styler:
        """For pictures of many sizes: on a backend that opens a new size in a moment."""
        backend, _reason = choose_backend("auto", without=BUILT_AHEAD)
        backend = "onnxruntime" if backend == "openvino" else backend
        return Styler(catalogue.get(style).networks[network], backend, options=_DRAWS)

    def open_room(style: str) -> Styler:
        """The style of a photo's room, which is drawn at a size that networks know, whatever the photo's."""
        return Styler(catalogue.get(style).network("auto", gpu=True), "onnxruntime", FACES["usual"], _DRAWS)

    parted = Parted("onnxruntime", EngineOptions(), open_room)

    def put_together(photo: Image, drawn: Image, wish: Wish) -> Image:
        wanted = LiveSettings(wish.style, wish.strength, person=wish.person, room=wish.room)
        return parted(photo, drawn, None, wanted)

    def open_for_clips(style: str, network: str) -> Styler:
        return Styler(
            catalogue.get(style).networks[network], choose_backend("auto", without=BUILT_AHEAD)[0], 360, _DRAWS
        )

    studio = PhotoStudio(open_for_photos, put_together, parted.close)
    return {"photos": studio, "clips": ClipStudio(functools.partial(render_clip, open_for_clips))}


def render_clip(
    open_styler: Callable[[str, str], Styler],
    source: Path,
    target: Path,
    style: str,
    network: str,
    strength: float,
    report: Callable[[int, int], None],
) -> None:
    """Style a clip of any kind into an MP4 file, with its sound.

    open_styler: opens a style's network, "lite" or "full".
    Raises: LivefilterError: it is no video, or cannot be written.
    """
    styler = open_styler(style, network)

    def draw(image: Image) -> Image:
        return styler.draw(image, strength)

    try:
        render_path(source, target, draw, file_openers(), report=report)
    finally:
        styler.close()
