"""Each output fails alone."""

from __future__ import annotations

import threading

import pytest

from livefilter.errors import SinkLost, SinkUnavailable
from livefilter.live.outputs import Outputs
from livefilter.live.pipeline import Pipeline, PipelineOptions
from livefilter.output.base import Sink
from tests.conftest import frame
from tests.fakes import WAIT_S, FakeSink, FakeSource, until
from tests.live.test_pipeline import FakeStylist, stage_threads

OPTIONS = PipelineOptions(64, 48, fps=100, hold_s=60.0)
AT_ONCE = (0.0, 0.001)


def test_a_file_that_fails_is_finished_and_the_rest_goes_on() -> None:
    """A full disk is told once; the other output gets every frame, and the end says what is missing."""
    notices: list[str] = []
    file, camera = FakeSink(SinkLost("Recording clip.mp4 stopped: the disk is full."), fail_at=3), FakeSink()
    outputs = Outputs([file, camera], notify=notices.append)
    for number in range(10):
        outputs.send(frame(number=number))
    until(lambda: file.closed, "the file finished")
    assert [sent.number for sent in camera.sent] == list(range(10))
    assert notices == ["Recording clip.mp4 stopped: the disk is full. Going on without it."]
    assert outputs.losses == ["Recording clip.mp4 stopped: the disk is full."]
    assert not camera.closed
    outputs.close()
    assert camera.closed


def test_a_stream_is_opened_again_until_that_works() -> None:
    """The server restarts: frames go on elsewhere, and to the stream again once it answers; nothing is missing then."""
    notices: list[str] = []
    attempts: list[int] = []
    answers = threading.Event()
    broken, again, page = FakeSink(SinkLost("The stream broke off."), fail_at=1), FakeSink(), FakeSink()

    def reopen() -> Sink:
        attempts.append(1)
        if not answers.is_set():
            raise SinkUnavailable("nobody answers there")
        return again

    outputs = Outputs([page], notify=notices.append, back_off_s=AT_ONCE)
    outputs.add(broken, reopen)
    for number in range(5):
        outputs.send(frame(number=number))
    until(lambda: len(attempts) > 3, "some attempts")
    assert broken.closed
    assert outputs.away == ["fake sink"]
    assert outputs.losses
    answers.set()
    until(lambda: not outputs.away, "the stream back")
    outputs.send(frame(number=5))
    assert [sent.number for sent in again.sent] == [5]
    assert len(page.sent) == 6
    assert outputs.losses == []
    until(lambda: len(notices) == 2, "both notices")
    assert notices[0] == "The stream broke off. It is tried again."
    assert "is back after" in notices[1]
    outputs.close()
    assert again.closed


def test_the_pauses_between_attempts_grow() -> None:
    """A server that is away for long is not hammered."""
    waited: list[float | None] = []
    outputs = Outputs(back_off_s=(1.0, 2.0, 4.0))

    class Pauses(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waited.append(timeout)
            return len(waited) > 5

    outputs._closing = Pauses()

    def reopen() -> Sink:
        raise SinkUnavailable("nobody answers there")

    broken = FakeSink(SinkLost("broke off"))
    outputs.add(broken, reopen)
    outputs.send(frame())
    until(lambda: len(waited) > 5, "six pauses")
    assert waited == [1.0, 2.0, 4.0, 4.0, 4.0, 4.0]


def test_the_run_goes_on_while_its_only_output_may_come_back() -> None:
    """A stream alone that breaks off does not end the run."""
    lost = threading.Event()
    broken = FakeSink(SinkLost("The stream broke off."), fail_at=1)

    def reopen() -> Sink:
        lost.set()
        raise SinkUnavailable("nobody answers there")

    outputs = Outputs(back_off_s=AT_ONCE)
    outputs.add(broken, reopen)
    pipeline = Pipeline(FakeSource(), FakeStylist(), outputs, OPTIONS)
    pipeline.start()
    assert lost.wait(WAIT_S)
    sent = pipeline.metrics.snapshot().styled
    until(lambda: pipeline.metrics.snapshot().styled > sent + 5, "more frames")
    assert not pipeline.wait(0)
    pipeline.stop()
    pipeline.join()
    assert outputs.losses == ["fake sink was lost and has not come back."]


def test_the_run_ends_with_its_last_output() -> None:
    """A lone recording on a full disk ends the run with its reason."""
    pipeline = Pipeline(FakeSource(), FakeStylist(), [FakeSink(SinkLost("the disk is full"), fail_at=3)], OPTIONS)
    pipeline.start()
    with pytest.raises(SinkLost, match="the disk is full"):
        pipeline.join()
    assert stage_threads() == []


def test_strict_outputs_end_the_run_at_the_first_loss() -> None:
    """A script gets the error at once, whatever else goes on."""
    broken, page = FakeSink(SinkLost("The stream broke off."), fail_at=2), FakeSink()
    outputs = Outputs([page], strict=True)
    outputs.add(broken, FakeSink)
    pipeline = Pipeline(FakeSource(), FakeStylist(), outputs, OPTIONS)
    pipeline.start()
    with pytest.raises(SinkLost, match="broke off"):
        pipeline.join()
    assert page.closed


def test_an_output_with_a_bug_fails_alone_too() -> None:
    """Whatever is raised, the others go on, and the name of the output is told."""
    notices: list[str] = []
    outputs = Outputs([FakeSink(TypeError("a bug")), FakeSink()], notify=notices.append)
    outputs.send(frame())
    outputs.send(frame())
    assert notices == ["fake sink failed: a bug Going on without it."]
    outputs.close()


def test_what_opens_after_the_end_is_closed() -> None:
    """The end does not wait for a server that answers slowly."""
    connecting, release = threading.Event(), threading.Event()
    late = FakeSink()

    def reopen() -> Sink:
        connecting.set()
        release.wait(WAIT_S)
        return late

    outputs = Outputs(back_off_s=AT_ONCE)
    outputs.add(FakeSink(SinkLost("broke off")), reopen)
    outputs.send(frame())
    assert connecting.wait(WAIT_S)
    outputs.close()
    release.set()
    until(lambda: late.closed, "the late stream closed")


def test_an_output_joins_and_leaves_between_frames() -> None:
    """What was removed gets nothing more and stays open for its owner."""
    guest, other = FakeSink(), FakeSink()
    outputs = Outputs([other])
    outputs.add(guest)
    outputs.send(frame())
    outputs.remove(guest)
    outputs.send(frame())
    assert (len(guest.sent), len(other.sent), guest.closed) == (1, 2, False)
    outputs.close()
