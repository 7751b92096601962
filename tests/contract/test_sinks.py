"""What every output must do, whatever it is."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from livefilter.errors import LivefilterError
from livefilter.output import open_sink
from livefilter.output.base import Sink, SinkOptions
from livefilter.output.camera.driver import Loopback
from livefilter.output.worker import WorkerSink
from livefilter.registry import SINKS
from tests.conftest import frame
from tests.output.camera import test_virtual_camera as camera
from tests.output.camera.test_pipewire import stand_in_programs
from tests.output.video.test_stream import free_port

OPTIONS = SinkOptions(64, 48, 30.0)
KINDS = ("camera", "pipewire", "window", "page", "record", "stream", "null")

Opener = Callable[[SinkOptions], Sink]

# A window needs a process of its own: it belongs to one display for ever, and OpenCV must be loaded before PyAV.
WINDOW_ONLY = "LIVEFILTER_TEST_WINDOW_ONLY"
HERE = ["window"] if WINDOW_ONLY in os.environ else [kind for kind in (*KINDS, "worker") if kind != "window"]


@pytest.fixture(params=HERE)
def opener(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opener]:
    """Opens one kind of sink, as often as it is called."""
    opened: list[Sink] = []
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind(("127.0.0.1", 0))

    def opens(kind: str, options: SinkOptions) -> Sink:
        if kind == "camera":
            camera.install(monkeypatch, camera.FakeLibrary(), sys.platform, Loopback("/dev/video9", "livefilter"))
        if kind == "pipewire":
            stand_in_programs(monkeypatch, tmp_path)
        specs = {
            "page": f"page:{free_port()}",
            "record": f"record:{tmp_path / f'out{len(opened)}.mp4'}",
            "stream": f"udp://127.0.0.1:{listener.getsockname()[1]}",
        }
        if kind == "worker":
            return WorkerSink(open_sink(specs["record"], options), 30)
        return open_sink(specs.get(kind, kind), options)

    def opener(options: SinkOptions) -> Sink:
        opened.append(opens(request.param, options))
        return opened[-1]

    yield opener
    for sink in opened:
        sink.close()
    listener.close()


def test_the_window_does_all_of_this_too(xvfb: str) -> None:
    """The same assertions, in a process of its own under a display of its own."""
    if WINDOW_ONLY in os.environ:
        pytest.skip("this is that process")
    start = "import sys, cv2, pytest; sys.exit(pytest.main(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", start, "-q", "-p", "no:cacheprovider", "-k", "[window", str(Path(__file__))],
        env={**os.environ, "DISPLAY": xvfb, WINDOW_ONLY: "1"},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


def test_frames_of_its_size_are_taken_and_left_as_they_are(opener: Opener) -> None:
    """New frames, repeated ones, ones that may not be written to: all are taken, and none is changed."""
    sink = opener(OPTIONS)
    for number in range(4):
        given = frame(number=number, captured_at=number / 30)
        before = given.image.copy()
        given.image.setflags(write=False)
        sink.send(given)
        sink.send(given)
        assert np.array_equal(given.image, before)


@pytest.mark.parametrize(("width", "height"), [(63, 47), (480, 853), (1, 1)])
def test_any_size_can_be_sent(opener: Opener, width: int, height: int) -> None:
    """Odd, upright and tiny frames are taken as they are."""
    sink = opener(replace(OPTIONS, width=width, height=height))
    sink.send(frame(width, height))


def test_a_sink_says_what_it_is(opener: Opener) -> None:
    """Its name is one line that a person understands."""
    sink = opener(OPTIONS)
    assert sink.name.strip()
    assert "\n" not in sink.name


def test_a_sink_can_be_closed_twice(opener: Opener) -> None:
    """After a frame, and closing again does nothing."""
    sink = opener(OPTIONS)
    sink.send(frame())
    sink.close()
    sink.close()


def test_a_sink_can_be_closed_before_the_first_frame(opener: Opener) -> None:
    """A run may end before anything was styled."""
    sink = opener(OPTIONS)
    sink.close()


def test_a_sink_leaves_no_thread_behind(opener: Opener) -> None:
    """Whatever it started is over when `close` returns."""
    before = set(threading.enumerate())
    with opener(OPTIONS) as sink:
        sink.send(frame())
    assert {thread for thread in threading.enumerate() if thread.is_alive()} <= before


@pytest.mark.parametrize(
    ("spec", "named"),
    [
        ("camera:No Such Camera", "No Such Camera"),
        ("camera:/dev/video98", "/dev/video98"),
        ("record:no-such-folder/out.mp4", "no-such-folder"),
        ("record:out.mp5", "out.mp5"),
        ("rtmp://127.0.0.1:9/app/key", "rtmp://127.0.0.1:9/app/***"),
        ("udp://127.0.0.1", "udp://127.0.0.1"),
        ("page:notaport", "notaport"),
        ("window:2", "window"),
        ("nul", "'nul'"),
    ],
)
def test_a_bad_target_is_named_with_a_fix(spec: str, named: str) -> None:
    """One line says which output it is, why it cannot be opened, and more than just no."""
    with pytest.raises(LivefilterError) as raised:
        open_sink(spec, OPTIONS)
    message = str(raised.value)
    assert named in message
    assert "\n" not in message
    assert len(message) > len(named) + 25


def test_an_unavailable_sink_says_how_to_get_it() -> None:
    """Every kind answers whether it can be opened here: nothing, or one line with a reason."""
    for kind in SINKS:
        reason = SINKS.load(kind).unavailable()
        assert reason is None or (len(reason) > 25 and "\n" not in reason)


def test_every_registered_sink_is_tried_here() -> None:
    """A new sink must join this suite."""
    assert set(SINKS) == set(KINDS)
