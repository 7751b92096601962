"""A transparent room in a recording."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from livefilter.cutout import Cutout
from livefilter.frame import Frame, Image
from livefilter.output.base import SinkOptions
from livefilter.output.video.recording import RecordingSink

DECODERS = {"webm": "libvpx-vp9", "mov": "prores"}  # the native decoder of VP9 leaves alpha out


@pytest.mark.parametrize(("kind", "alpha"), [("webm", True), ("webm", False), ("mov", True)])
def test_a_recording_keeps_a_transparent_room(tmp_path: Path, kind: str, alpha: bool) -> None:
    """VP9 or ProRes 4444 with alpha where it is asked for: read back, the room is transparent and the person is not.
    Elsewhere nobody is cut out."""
    path = tmp_path / f"cut.{kind}"
    image = np.full((64, 96, 3), 120, np.uint8)
    cutout = np.zeros((64, 96, 4), np.uint8)
    cutout[:, :48] = (120, 120, 120, 255)
    made: list[int] = []

    def make() -> Image:
        made.append(1)
        return cutout

    with RecordingSink(str(path), SinkOptions(96, 64, 30.0, alpha=alpha)) as sink:
        for number in range(5):
            sink.send(Frame(image, number, number / 30, cutout=Cutout(make)))
    assert len(made) == (5 if alpha else 0)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        if kind == "webm":
            assert stream.metadata.get("alpha_mode") == ("1" if alpha else None)
        decoder: Any = av.CodecContext.create(DECODERS[kind], "r")
        decoder.extradata = stream.codec_context.extradata
        decoder.width, decoder.height = 96, 64
        frames = [frame for packet in container.demux(stream) for frame in decoder.decode(packet)]
    assert len(frames) >= 5
    seen = frames[-1].to_ndarray(format="rgba")
    assert abs(int(seen[32, 24, 0]) - 120) <= 6
    assert seen[32, 24, 3] >= 250
    assert (seen[32, 72, 3] <= 5) == alpha


@pytest.mark.parametrize(
    ("kind", "said"), [("mp4", "plain green, for .mp4"), ("mkv", "plain green, for .mkv"), ("webm", None)]
)
def test_a_recording_that_holds_no_transparency_says_so(tmp_path: Path, kind: str, said: str | None) -> None:
    """Nothing is replaced by green without a word."""
    with RecordingSink(str(tmp_path / f"cut.{kind}"), SinkOptions(96, 64, 30.0, alpha=True)) as sink:
        assert said in sink.notice if said and sink.notice else sink.notice is said
    with RecordingSink(str(tmp_path / f"whole.{kind}"), SinkOptions(96, 64, 30.0)) as sink:
        assert sink.notice is None


def test_mov_without_a_transparent_room_is_h264(tmp_path: Path) -> None:
    """As small as ever, and what every player takes."""
    path = tmp_path / "plain.mov"
    with RecordingSink(str(path), SinkOptions(96, 64, 30.0)) as sink:
        sink.send(Frame(np.full((64, 96, 3), 120, np.uint8), 0, 0.0))
    with av.open(str(path)) as container:
        assert container.streams.video[0].codec_context.name == "h264"
