"""Network streams, on this machine's own network."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from livefilter.capture import stream as stream_module
from livefilter.capture.addresses import is_url
from livefilter.capture.base import SourceOptions
from livefilter.capture.stream import StreamSource
from livefilter.errors import EndOfStream, InvalidInput, SourceError, SourceLost, SourceUnavailable
from livefilter.masking import mask_address
from tests.capture.fakes import UdpSender, web_server
from tests.conftest import make_video, picture
from tests.fakes import until

OPTIONS = SourceOptions()


def read_on(source: StreamSource) -> None:
    """Read until an error ends it."""
    while True:
        source.read()


def test_live_pictures_arrive() -> None:
    """An MPEG-TS stream over UDP shows what is sent."""
    with UdpSender() as sender, StreamSource(sender.url, OPTIONS) as source:
        assert source.info.live
        assert source.info.fps == 30

        def right() -> bool:
            return bool(np.abs(source.read().image[12:].astype(int) - picture()[12:]).mean() < 12)

        until(right, "a whole picture: some datagrams of the first may be lost")


def test_a_slow_reader_sees_the_newest_picture() -> None:
    """Frames that nobody took are dropped: after a pause the next one is from now, not from before the pause."""
    with UdpSender() as sender, StreamSource(sender.url, OPTIONS) as source:
        source.read()
        mailbox = source._newest
        assert mailbox is not None
        until(lambda: mailbox.dropped >= 20, "twenty dropped frames")
        pause_ends = time.perf_counter()
        dropped = mailbox.dropped
        until(lambda: mailbox.dropped >= dropped + 2, "two more")
        first = source.read()
        assert first.captured_at > pause_ends
        assert first.number == 1


def test_a_silent_stream_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the sender stops, reading fails after the timeout instead of hanging."""
    monkeypatch.setattr(stream_module, "_READ_TIMEOUT_S", 3.0)
    sender = UdpSender()
    with sender, StreamSource(sender.url, OPTIONS) as source:
        source.read()
        sender.stop()
        with pytest.raises(SourceLost, match=r"udp://127\.0\.0\.1:\d+ broke off: no answer within 3 s"):
            read_on(source)


def test_closing_frees_a_waiting_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader of a silent stream does not have to wait for the timeout, and its thread ends."""
    monkeypatch.setattr(stream_module, "_READ_TIMEOUT_S", 6.0)
    ended: list[BaseException] = []
    sender = UdpSender()
    with sender, StreamSource(sender.url, OPTIONS) as source:
        sender.stop()

        def reads() -> None:
            try:
                read_on(source)
            except SourceError as error:
                ended.append(error)

        reader = threading.Thread(target=reads, daemon=True)
        reader.start()
        source.close()
        reader.join(5.0)
        assert not reader.is_alive()
    assert "closed" in str(ended[0])
    for thread in threading.enumerate():
        if thread.name == "stream decoder":
            thread.join(60)
            assert not thread.is_alive()


def test_a_file_on_a_web_server_is_read_frame_by_frame(tmp_path: Path) -> None:
    """It has a length, so nothing is dropped and it ends like a file."""
    make_video(tmp_path / "clip.mp4")
    with web_server(tmp_path) as address, StreamSource(f"{address}/clip.mp4", OPTIONS) as source:
        assert not source.info.live
        times = [source.read().media_s for _ in range(30)]
        assert times == pytest.approx([number / 30 for number in range(30)], abs=0.002)
        with pytest.raises(EndOfStream):
            source.read()


def test_a_missing_page_is_named(tmp_path: Path) -> None:
    """The server's own word is passed on."""
    with web_server(tmp_path) as address, pytest.raises(SourceUnavailable, match=r"nothing\.mp4.*404"):
        StreamSource(f"{address}/nothing.mp4", OPTIONS)


def test_a_page_that_is_no_video_is_named(tmp_path: Path) -> None:
    """A web page is not a stream."""
    (tmp_path / "index.html").write_text("<html>hello</html>")
    with web_server(tmp_path) as address, pytest.raises(SourceUnavailable, match="Cannot open stream http"):
        StreamSource(f"{address}/index.html", OPTIONS)


def test_an_unreachable_host_is_named_without_its_password() -> None:
    """Neither the message nor what it was raised from shows the secret."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound and not listening: refuses
        port = held.getsockname()[1]
        with pytest.raises(SourceUnavailable) as raised:
            StreamSource(f"rtsp://me:hunter2@127.0.0.1:{port}/x?token=hunter3", OPTIONS)
    assert f"rtsp://***@127.0.0.1:{port}/x?token=***" in str(raised.value)
    assert "hunter" not in str(raised.value)
    assert "Check the address" in str(raised.value)


def test_a_server_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening ends at its timeout."""
    monkeypatch.setattr(stream_module, "_OPEN_TIMEOUT_S", 0.3)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(SourceUnavailable, match=r"no answer within 0\.3 s"):
            StreamSource(f"tcp://127.0.0.1:{silent.getsockname()[1]}", OPTIONS)


def test_what_is_no_address_is_refused() -> None:
    """The form is shown."""
    with pytest.raises(InvalidInput, match=r"'camera\.local' is no stream address"):
        StreamSource("camera.local", OPTIONS)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rtsp://user:secret@host/a", "rtsp://***@host/a"),
        ("rtsp://user:se:c/ret@host/a", "rtsp://***@host/a"),
        ("rtsp://user@host/a", "rtsp://***@host/a"),
        ("srt://host:1?passphrase=secret&mode=caller", "srt://host:1?passphrase=***&mode=caller"),
        ("http://host/a?fps=1", "http://host/a?fps=1"),
    ],
)
def test_passwords_are_masked(url: str, shown: str) -> None:
    """Only the secret parts change."""
    assert mask_address(url) == shown


@pytest.mark.parametrize(
    ("text", "is_one"), [("rtmp://a/b", True), ("RTSP://a", True), ("C:\\a.mp4", False), ("x://a", False)]
)
def test_addresses_are_told_from_paths(text: str, is_one: bool) -> None:
    """A Windows drive is no scheme."""
    assert is_url(text) is is_one
