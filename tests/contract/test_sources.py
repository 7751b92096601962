"""What every input must do, whatever it is."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import cv2
import numpy as np
import pytest

from livefilter.capture.base import Source, SourceOptions
from livefilter.capture.demo import DemoSource
from livefilter.capture.image import ImageSource
from livefilter.capture.paced import PacedSource
from livefilter.capture.screen import ScreenSource
from livefilter.capture.stream import StreamSource
from livefilter.capture.video_file import VideoFileSource
from livefilter.errors import LivefilterError, SourceError
from livefilter.registry import SOURCES
from tests.capture.fakes import UdpSender, fake_camera, web_server
from tests.conftest import make_video, picture
from tests.display import xvfb as xvfb

OPTIONS = SourceOptions(width=64, height=48, fps=60)
KINDS = ("camera", "v4l2 camera", "file", "paced", "stream", "web", "screen", "image", "demo")

Opener = Callable[[], Source]


@pytest.fixture(params=KINDS)
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opener]:
    """Opens one kind of source, as often as it is called."""
    with ExitStack() as stack:
        opened: list[Source] = []

        def opens(kind: str) -> Source:
            if kind == "camera":
                return fake_camera(options=OPTIONS)
            if kind == "v4l2 camera":
                if not sys.platform.startswith("linux"):
                    pytest.skip("V4L2 is a part of Linux")
                from tests.capture.fake_v4l2 import FakeCamera

                return FakeCamera().source(OPTIONS)
            if kind == "screen":
                return ScreenSource("10,20,64x48", OPTIONS)
            if kind == "image":
                cv2.imwrite(str(tmp_path / "picture.png"), picture())
                return ImageSource(str(tmp_path / "picture.png"), OPTIONS)
            if kind == "stream":
                return StreamSource(stack.enter_context(UdpSender()).url, OPTIONS)
            if kind == "web":
                make_video(tmp_path / "clip.mp4")
                return StreamSource(f"{stack.enter_context(web_server(tmp_path))}/clip.mp4", OPTIONS)
            if kind == "demo":
                return DemoSource("", OPTIONS)
            source = VideoFileSource(str(make_video(tmp_path / "clip.mp4")), OPTIONS)
            return PacedSource(source) if kind == "paced" else source

        def opener() -> Source:
            opened.append(opens(request.param))
            return opened[-1]

        if request.param == "screen":
            request.getfixturevalue("xvfb")
        yield opener
        for source in opened:
            source.close()


def test_frames_are_what_info_says(opener: Opener) -> None:
    """Every frame is a contiguous uint8 BGR image of exactly the size that the source announced."""
    source = opener()
    assert (source.info.width, source.info.height) == (64, 48)
    assert source.info.fps > 0
    assert source.info.name
    for _ in range(5):
        image = source.read().image
        assert image.shape == (48, 64, 3)
        assert image.dtype == np.uint8
        assert image.flags.c_contiguous


def test_frames_count_from_0_and_their_times_grow(opener: Opener) -> None:
    """Numbers are 0, 1, 2..., and each frame was captured after the one before it."""
    source = opener()
    frames = [source.read() for _ in range(6)]
    assert [frame.number for frame in frames] == list(range(6))
    assert all(a.captured_at < b.captured_at for a, b in itertools.pairwise(frames))


def test_only_what_can_wait_has_a_media_time(opener: Opener) -> None:
    """Files say when a frame is shown, in rising order from 0; live inputs say nothing."""
    source = opener()
    times = [source.read().media_s for _ in range(5)]
    if source.info.live:
        assert times == [None] * 5
    else:
        numbers = [round((at or 0.0) * 30) for at in times]
        assert times == pytest.approx([number / 30 for number in numbers], abs=0.002)
        # What plays by the clock skips a frame when this machine stalls.
        assert numbers == (sorted(set(numbers)) if isinstance(source, PacedSource) else list(range(5)))
        assert numbers[0] == 0


def test_a_source_can_be_closed_twice(opener: Opener) -> None:
    """Closing again does nothing, and a closed source refuses to be read by name instead of hanging."""
    source = opener()
    source.read()
    source.close()
    source.close()
    with pytest.raises(SourceError, match="closed"):
        source.read()


def test_a_source_closes_itself_after_with(opener: Opener) -> None:
    """`with` frees the device."""
    with opener() as source:
        source.read()
    with pytest.raises(SourceError):
        source.read()


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        ("camera", "No Such Camera"),
        ("camera", "/dev/video99"),
        ("file", "no-such-clip.mp4"),
        ("stream", "tcp://127.0.0.1:9"),
        ("screen", "99"),
        ("image", "no-such-picture.png"),
    ],
)
def test_a_missing_target_is_named(kind: str, target: str, request: pytest.FixtureRequest) -> None:
    """What cannot be opened is named in one line that says more than just no."""
    if kind == "screen":
        request.getfixturevalue("xvfb")
    with pytest.raises(LivefilterError) as raised:
        SOURCES.load(kind)(target, OPTIONS)
    message = str(raised.value)
    assert target in message
    assert "\n" not in message
    assert len(message) > len(target) + 20


def test_every_registered_source_is_tried_here() -> None:
    """A new source must join this suite."""
    assert set(SOURCES) <= set(KINDS)
