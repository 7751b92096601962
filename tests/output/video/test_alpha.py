"""A transparent room in a recording."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from livefilter.frame import Frame
from livefilter.output.base import SinkOptions
from livefilter.output.video.recording import RecordingSink


@pytest.mark.parametrize("alpha", [True, False])
def test_webm_keeps_a_transparent_room(tmp_path: Path, alpha: bool) -> None:
    """VP9 with alpha where it is asked for: read back, the room is transparent and the person is not."""
    path = tmp_path / "cut.webm"
    image = np.full((64, 96, 3), 120, np.uint8)
    cutout = np.zeros((64, 96, 4), np.uint8)
    cutout[:, :48] = (120, 120, 120, 255)
    with RecordingSink(str(path), SinkOptions(96, 64, 30.0, alpha=alpha)) as sink:
        for number in range(5):
            sink.send(Frame(image, number, number / 30, cutout=cutout))
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.metadata.get("alpha_mode") == ("1" if alpha else None)
        decoder: Any = av.CodecContext.create("libvpx-vp9", "r")  # the native decoder leaves alpha out
        frames = [frame for packet in container.demux(stream) for frame in decoder.decode(packet)]
    assert len(frames) >= 5
    seen = frames[-1].to_ndarray(format="rgba")
    assert abs(int(seen[32, 24, 0]) - 120) <= 6
    assert seen[32, 24, 3] >= 250
    assert (seen[32, 72, 3] <= 5) == alpha
