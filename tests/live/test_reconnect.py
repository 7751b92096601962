"""Every kind of stream comes back after its sender was away, also when it sends something else then."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from livefilter.capture import stream as stream_module
from livefilter.capture.base import Source, SourceOptions
from livefilter.capture.stream import open_stream
from livefilter.errors import SourceUnavailable
from livefilter.live.idle import IdleWatch
from livefilter.live.input import LiveInput
from tests.capture.rtsp_server import lacks
from tests.fakes import WAIT_S, until
from tests.live import senders

KINDS: list[type[senders.Sender]] = [
    senders.Udp,
    senders.UdpOfAnotherCodec,
    senders.Tcp,
    senders.Rtmp,
    senders.Hls,
    senders.Multipart,
    senders.MultipartOfAnotherCodec,
    senders.Rtsp,
    senders.RtspOfAnotherCodec,
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_stream_comes_back(kind: type[senders.Sender]) -> None:
    """Frames flow, the sender goes, the run waits for it, and frames flow again."""
    if issubclass(kind, senders.Rtsp):
        missing = lacks("x264enc" if kind is senders.RtspOfAnotherCodec else "jpegenc")
        if missing:
            pytest.skip(missing)
    with watched(kind) as (sender, live, shapes):
        until(lambda: len(shapes) > 5, "frames")
        sender.stop()
        until(lambda: live.waiting_for is not None, "the loss")
        seen = len(shapes)
        sender.start()
        until(lambda: len(shapes) > seen + 5, "frames again")
        assert live.waiting_for is None
        assert len(set(shapes)) == 1


def test_a_codec_may_change_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sender that goes on in another codec at once is joined anew, long before a stream is given up."""
    monkeypatch.setattr(stream_module, "_UNDECODED_S", 10 * WAIT_S)
    with watched(senders.UdpOfAnotherCodec) as (sender, _live, shapes):
        until(lambda: len(shapes) > 5, "frames")
        sender.stop()
        sender.start()
        seen = len(shapes)
        until(lambda: len(shapes) > seen + 50, "frames of the other codec")


@contextmanager
def watched(kind: type[senders.Sender]) -> Iterator[tuple[senders.Sender, LiveInput, list[tuple[int, ...]]]]:
    """A sender that sends, the input of a run on it, and the shapes of the frames that it has given so far."""
    sender = kind()
    if sender.needs:
        pytest.skip(sender.needs)
    shapes: list[tuple[int, ...]] = []
    found: list[Source] = []

    def opened() -> Source:
        return open_stream(sender.url, SourceOptions(open_timeout_s=10.0))

    def answers() -> bool:
        with suppress(SourceUnavailable):  # a sender needs a moment to begin
            found.append(opened())
        return bool(found)

    sender.start()
    try:
        until(answers, "the first opening")
        live = LiveInput(found[0], opened, IdleWatch(None), every_s=0.1)

        def read() -> None:
            while (frame := live.read()) is not None:
                shapes.append(frame.image.shape)

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        try:
            yield sender, live, shapes
        finally:
            live.close()
    finally:
        sender.stop()
    reader.join(WAIT_S)
    assert not reader.is_alive()
