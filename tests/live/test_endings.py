"""How a run ends: soon, with the right verdict, and with every file finished. All with the bounds that are shipped."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from livefilter.capture.base import Source, SourceOptions
from livefilter.capture.demo import DemoSource
from livefilter.capture.paced import PacedSource
from livefilter.capture.stream import StreamSource
from livefilter.capture.video_file import VideoFileSource
from livefilter.control.controller import Controller
from livefilter.control.settings import LiveSettings, SharedSettings
from livefilter.errors import EngineFailed, StageStuck
from livefilter.frame import Frame
from livefilter.live.pipeline import Pipeline, PipelineOptions
from livefilter.live.session import LiveSession
from livefilter.output.base import Sink
from tests.capture.fakes import UdpSender
from tests.conftest import make_video
from tests.fakes import WAIT_S, FakeSink, FakeSource, NoKeys, until
from tests.live.test_pipeline import FakeStylist, stage_threads

OPTIONS = PipelineOptions(64, 48, fps=100, hold_s=60.0)


class BlockedSink(FakeSink):
    """An output whose `send` does not come back until it is released."""

    def __init__(self) -> None:
        super().__init__()
        self.blocked, self.release = threading.Event(), threading.Event()

    def send(self, frame: Frame) -> None:
        super().send(frame)
        self.blocked.set()
        self.release.wait(2 * WAIT_S)


def test_a_recording_is_finished_although_another_output_is_stuck(tmp_path: Path) -> None:
    """Quitting while a camera's send blocks ends in time, finishes the recording and names the camera."""
    stuck, recording = BlockedSink(), FakeSink()
    stuck.name = "camera 9"
    settings = SharedSettings(LiveSettings("first"))
    pipeline = Pipeline(FakeSource(), FakeStylist(), [stuck], OPTIONS)

    def open_recording(path: Path) -> Sink:
        return recording

    session = LiveSession(pipeline, settings, Controller(settings, ["first"]), open_recording, tmp_path, NoKeys())
    settings.change(recording=True)
    pipeline.start()
    session.tick(0.001)
    assert stuck.blocked.wait(WAIT_S)
    pipeline.stop()
    session.close()
    with pytest.raises(StageStuck, match="camera 9"):
        pipeline.join()
    assert recording.closed
    stuck.release.set()
    until(lambda: stage_threads() == [], "the stuck stage's end")


def slow_video(tmp_path: Path, udp: UdpSender) -> Source:
    """A file with a frame in five seconds."""
    return PacedSource(VideoFileSource(str(make_video(tmp_path / "slow.mp4", fps=1, seconds=8)), SourceOptions()))


def slow_demo(tmp_path: Path, udp: UdpSender) -> Source:
    """The demo scene at a frame in five seconds."""
    return DemoSource("", SourceOptions(64, 48, 0.2))


def silent_stream(tmp_path: Path, udp: UdpSender) -> Source:
    """A sender that goes silent after its first pictures."""
    source = StreamSource(udp.url, SourceOptions())
    udp.__exit__(None, None, None)
    return source


@pytest.mark.parametrize("open_source", [slow_video, slow_demo, silent_stream])
def test_an_input_that_waits_for_its_next_frame_does_not_hold_up_the_end(
    open_source: Callable[[Path, UdpSender], Source], tmp_path: Path
) -> None:
    """Its read is ended, nothing is blamed on a device."""
    with UdpSender() as udp:
        source = open_source(tmp_path, udp)
        sink = FakeSink()
        options = PipelineOptions(source.info.width, source.info.height, fps=100, hold_s=60.0)
        pipeline = Pipeline(source, FakeStylist(), [sink], options)
        pipeline.start()
        until(lambda: bool(sink.sent), "a first frame")
        pipeline.stop()
        pipeline.join()
        until(lambda: stage_threads() == [], "the end of every stage")


def test_a_first_frame_that_takes_long_is_cut_short() -> None:
    """The stylist is told that its frame is not wanted any more, and what it raises then is no error."""
    cut = threading.Event()

    class Slow(FakeStylist):
        def __call__(self, frame: Frame) -> Frame:
            if cut.wait(2 * WAIT_S):
                raise EngineFailed("it was cut short")
            return super().__call__(frame)

        def cancel(self) -> None:
            cut.set()

    source, stylist = FakeSource(), Slow()
    pipeline = Pipeline(source, stylist, [FakeSink()], OPTIONS)
    pipeline.start()
    until(lambda: source.reads > 3, "a frame to style")
    pipeline.stop()
    pipeline.join()
    assert stylist.closed
    assert stage_threads() == []


def test_a_frame_that_cannot_be_cut_short_is_waited_for() -> None:
    """A runtime that does not listen takes as long as a frame takes, and nothing is closed under it."""
    styling, may_end = threading.Event(), threading.Event()
    closed_while_styling: list[bool] = []

    class Deaf(FakeStylist):
        def __call__(self, frame: Frame) -> Frame:
            styling.set()
            may_end.wait(WAIT_S)
            closed_while_styling.append(self.closed)
            return super().__call__(frame)

    pipeline = Pipeline(FakeSource(), Deaf(), [FakeSink()], OPTIONS)
    pipeline.start()
    assert styling.wait(WAIT_S)
    pipeline.stop()
    threading.Timer(2.0, may_end.set).start()  # longer than any other stage may take
    pipeline.join()
    assert closed_while_styling == [False]


def test_quitting_while_a_camera_opens_after_a_rest_is_clean() -> None:
    """A camera that takes long to open is no stuck stage, and is closed when it has opened at last."""
    opening, release = threading.Event(), threading.Event()
    late = FakeSource()

    class Camera(FakeSink):
        watching = False

        def watched(self) -> bool:
            return self.watching

    def reopen() -> Source:
        opening.set()
        release.wait(2 * WAIT_S)
        return late

    sink, first = Camera(), FakeSource()
    options = PipelineOptions(64, 48, 100.0, idle_after_s=0.05)
    pipeline = Pipeline(first, FakeStylist(), [sink], options, reopen=reopen)
    pipeline.start()
    until(lambda: first.closed, "the camera was released for the rest")
    sink.watching = True
    assert opening.wait(WAIT_S)
    pipeline.stop()
    pipeline.join()
    release.set()
    until(lambda: late.closed and stage_threads() == [], "the camera closed")
