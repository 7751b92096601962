"""What the photo page needs of the rest of livefilter: styles for photos, and rendering of clips."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from livefilter.capture import open_source
from livefilter.capture.animation import AnimationSource
from livefilter.capture.base import SourceOptions
from livefilter.capture.pictures import PictureFile
from livefilter.frame import Image
from livefilter.inference.look import blend
from livefilter.inference.selection import BUILT_AHEAD, choose_backend
from livefilter.inference.styler import Styler
from livefilter.output import VIDEO_SUFFIXES, open_sink
from livefilter.render import Openers, render_path
from livefilter.styles.catalogue import Catalogue
from livefilter.web.clip_studio import ClipStudio
from livefilter.web.photo_studio import PhotoStudio


def photo_features() -> dict[str, Any]:
    """The photo page's own part of a site's features."""
    return {"photos": PhotoStudio(open_for_photos), "clips": ClipStudio(render_clip)}


def open_for_photos(style: str, network: str) -> Styler:
    """A style for pictures of many sizes: on a backend that opens a new size in a moment."""
    backend, _reason = choose_backend("auto", without=BUILT_AHEAD)
    return Styler(Catalogue().get(style).networks[network], "onnxruntime" if backend == "openvino" else backend)


def render_clip(
    source: Path, target: Path, style: str, network: str, strength: float, report: Callable[[int, int], None]
) -> None:
    """Style a clip of any kind into an MP4 file, with its sound.

    Raises: LivefilterError: it is no video, or cannot be written.
    """
    styler = Styler(Catalogue().get(style).networks[network], choose_backend("auto", without=BUILT_AHEAD)[0], 360)

    def draw(image: Image) -> Image:
        return blend(image, styler(image), strength)

    opened = Openers(
        video=lambda path: open_source(f"file:{path}", SourceOptions()),
        recording=lambda path, options: open_sink(f"record:{path}", options),
        animation=AnimationSource,
        picture=PictureFile,
        video_suffixes=VIDEO_SUFFIXES,
    )
    try:
        render_path(source, target, draw, opened, report=report)
    finally:
        styler.close()
