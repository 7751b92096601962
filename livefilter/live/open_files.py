"""How `livefilter render` and the photo page open files."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from livefilter.capture import open_source
from livefilter.capture.animation import AnimationSource
from livefilter.capture.base import SourceOptions
from livefilter.capture.pictures import PictureFile
from livefilter.output import VIDEO_SUFFIXES, open_sink
from livefilter.output.base import Sink, SinkOptions
from livefilter.render import Openers


def file_openers(*, accept_damage: bool = False, encoder_threads: int = 0, alpha: bool = False) -> Openers:
    """What opens videos, animations and pictures, and recordings to write.

    accept_damage: take what can be read. encoder_threads, alpha: as `SinkOptions`.
    """

    def record(path: Path, options: SinkOptions) -> Sink:
        return open_sink(f"record:{path}", replace(options, encoder_threads=encoder_threads, alpha=alpha))

    return Openers(
        video=lambda path: open_source(f"file:{path}", SourceOptions()),
        recording=record,
        animation=AnimationSource,
        picture=partial(PictureFile, accept_damage=accept_damage),
        video_suffixes=VIDEO_SUFFIXES,
    )
