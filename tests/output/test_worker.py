"""The thread of its own for a slow sink."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from livefilter.errors import SinkLost
from livefilter.frame import Frame
from livefilter.output.base import Sink
from livefilter.output.worker import WorkerSink
from tests.conftest import frame

TIMEOUT_S = 60.0


class GatedSink(Sink):
    """A sink whose `send` waits at a gate; it notes what it got, on which threads, and how often it was closed."""

    def __init__(
        self, opened: bool = True, error: Exception | None = None, close_error: Exception | None = None
    ) -> None:
        self.name = "gated sink"
        self.slow = True
        self.sent: list[int] = []
        self.threads: set[str] = set()
        self.closed = 0
        self.entered = threading.Event()
        self.gate = threading.Event()
        self._error, self._close_error = error, close_error
        if opened:
            self.gate.set()

    def send(self, frame: Frame) -> None:
        self.threads.add(threading.current_thread().name)
        self.entered.set()
        assert self.gate.wait(TIMEOUT_S)
        if self._error is not None:
            raise self._error
        self.sent.append(frame.number)

    def close(self) -> None:
        self.threads.add(threading.current_thread().name)
        self.closed += 1
        if self._close_error is not None:
            raise self._close_error


def workers() -> list[threading.Thread]:
    """The threads of worker sinks that are alive."""
    return [thread for thread in threading.enumerate() if thread.name == "sink-gated sink"]


def eventually(reached: Callable[[], bool]) -> None:
    """Wait for another thread to get there."""
    pause = threading.Event()
    for _ in range(int(TIMEOUT_S / 0.01)):
        if reached():
            return
        pause.wait(0.01)
    raise AssertionError("not reached in time")


def test_frames_arrive_in_order_on_one_named_thread_and_all_are_finished() -> None:
    """Nothing is lost while the inner sink keeps up; close works off the queue and leaves no thread."""
    inner = GatedSink()
    worker = WorkerSink(inner, depth=50, drain_s=TIMEOUT_S)
    assert (worker.name, worker.slow, worker.main_thread) == ("gated sink", False, False)
    for number in range(50):
        worker.send(frame(number=number))
    worker.close()
    assert inner.sent == list(range(50))
    assert inner.threads == {"sink-gated sink"}
    assert (inner.closed, worker.dropped) == (1, 0)
    assert not workers()


def test_a_full_queue_drops_the_oldest_and_send_never_waits(caplog: pytest.LogCaptureFixture) -> None:
    """While the inner sink is stuck, sending goes on; the newest are kept, the lost ones counted and told once."""
    inner = GatedSink(opened=False)
    worker = WorkerSink(inner, depth=3, drain_s=TIMEOUT_S)
    worker.send(frame(number=0))
    assert inner.entered.wait(TIMEOUT_S)
    for number in range(1, 10):
        worker.send(frame(number=number))
    assert worker.dropped == 6
    assert caplog.text.count("gated sink cannot keep up") == 1
    inner.gate.set()
    worker.close()
    assert inner.sent == [0, 7, 8, 9]


def test_an_error_of_the_inner_sink_reaches_the_next_send_once() -> None:
    """The caller hears why, once; later frames are dropped and close is quiet."""
    inner = GatedSink(error=SinkLost("disk full"))
    worker = WorkerSink(inner, depth=3)
    worker.send(frame(number=0))
    eventually(lambda: inner.closed >= 1)
    with pytest.raises(SinkLost, match="disk full"):
        worker.send(frame(number=1))
    worker.send(frame(number=2))
    assert worker.dropped == 1
    worker.close()
    worker.close()
    assert inner.closed >= 1
    assert not workers()


def test_an_error_that_nobody_has_heard_of_is_raised_by_close() -> None:
    """The last frame's failure is not lost, and it is raised once."""
    worker = WorkerSink(GatedSink(error=SinkLost("network gone")), depth=3)
    worker.send(frame())
    with pytest.raises(SinkLost, match="network gone"):
        worker.close()
    worker.close()


def test_an_error_of_closing_is_raised_by_close() -> None:
    """A file that could not be finished is told."""
    inner = GatedSink(close_error=SinkLost("no space left"))
    worker = WorkerSink(inner, depth=3)
    worker.send(frame())
    with pytest.raises(SinkLost, match="no space left"):
        worker.close()
    worker.close()
    assert (inner.sent, inner.closed) == ([0], 1)


def test_the_first_error_wins_over_that_of_closing() -> None:
    """What fails often fails to close as well; the cause is what counts."""
    worker = WorkerSink(GatedSink(error=SinkLost("the cause"), close_error=SinkLost("its effect")), depth=3)
    worker.send(frame())
    with pytest.raises(SinkLost, match="the cause"):
        worker.close()


def test_close_does_not_wait_for_ever_for_a_queue_that_is_too_slow() -> None:
    """Past the bound the rest is left out and counted, and the file is still finished."""
    inner = GatedSink(opened=False)
    worker = WorkerSink(inner, depth=10, drain_s=0.0, finish_s=TIMEOUT_S)
    worker.send(frame(number=0))
    assert inner.entered.wait(TIMEOUT_S)
    for number in range(1, 6):
        worker.send(frame(number=number))
    closer = threading.Thread(target=worker.close)
    closer.start()
    eventually(lambda: worker.closing)
    inner.gate.set()
    closer.join(TIMEOUT_S)
    assert not closer.is_alive()
    assert (inner.sent, worker.dropped, inner.closed) == ([0], 5, 1)


def test_a_sink_that_is_stuck_is_named_and_closes_itself_when_it_comes_back() -> None:
    """Close gives up after its bound; the inner sink is not closed under its own thread, but once, by it."""
    inner = GatedSink(opened=False)
    worker = WorkerSink(inner, depth=3, drain_s=0.01, finish_s=0.01)
    worker.send(frame())
    assert inner.entered.wait(TIMEOUT_S)
    with pytest.raises(SinkLost, match=r"gated sink did not end within 0\.02 s.*stuck"):
        worker.close()
    worker.close()
    assert inner.closed == 0
    inner.gate.set()
    eventually(lambda: inner.closed >= 1 and not workers())


def test_a_closed_worker_takes_no_frames() -> None:
    """Sending after close is an error that names the sink."""
    worker = WorkerSink(GatedSink(), depth=3)
    worker.close()
    with pytest.raises(SinkLost, match="gated sink is closed"):
        worker.send(frame())
