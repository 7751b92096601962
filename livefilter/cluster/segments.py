"""Parts of a video, styled each by itself and put together again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from livefilter.capture.video_segment import VideoSegmentSource
from livefilter.cluster.tasks import Span
from livefilter.errors import LivefilterError
from livefilter.output.base import SinkOptions
from livefilter.output.video.joining import JoinRefused, join_recordings
from livefilter.render.results import Openers, Tracks
from livefilter.render.stages import Stylist, render


class CutFailed(LivefilterError):
    """A video cannot be cut as it was planned; whole it can be styled."""


@dataclass(frozen=True, slots=True)
class Segment:
    """What was made of a part: how many pictures, how long the last one is shown, damage of the input."""

    frames: int
    last_lasts_s: float
    bad: tuple[str, ...]


def style_segment(
    source: Path, span: Span, target: Path, stylist: Stylist, openers: Openers, seen: Callable[[int], None]
) -> Segment:
    """Style a part of a video into a file without sound, whose time stamps are those of the whole.

    seen: told after each picture how many are done.
    Raises: CutFailed: there are not the pictures that the file's index tells of; the first error of any stage.
    """
    with VideoSegmentSource(str(source), seek=span.seek, start=span.start, end=span.end, frames=span.frames) as opened:
        made = render(opened, stylist, lambda options: openers.recording(target, options), seen, "none")
        bad = (opened.damage,) if opened.damage else ()
        lasts_s = opened.last_lasts_s
    if made != span.frames:
        raise CutFailed(f"A part of {source} has {made} pictures instead of {span.frames}: it is styled whole.")
    return Segment(made, lasts_s, bad)


def join_segments(
    source: Path,
    parts: Sequence[Path],
    target: Path,
    tracks: Tracks,
    last_lasts_s: float,
    seen: Callable[[int], None],
) -> str | None:
    """Put styled parts together, with the sound and the subtitles of the source; what was left out, in a line.

    Raises: CutFailed: the parts do not fit each other; SinkUnavailable, SinkLost.
    """
    opened = VideoSegmentSource(str(source), seek=None, start=None, end=None, frames=0)
    media = opened.beside
    info = opened.info
    opened.close()
    ended = threading.Event()
    ended.set()
    options = SinkOptions(info.width, info.height, info.fps, media, live=False, tracks=tracks, ended=ended)
    try:
        return join_recordings(parts, target, options, last_lasts_s, seen)
    except JoinRefused as error:
        raise CutFailed(f"{error} {source} is styled whole.") from error
