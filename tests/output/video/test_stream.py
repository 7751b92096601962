"""Network streams, received by real listeners on this machine."""

from __future__ import annotations

import itertools
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path

import av
import pytest

from livefilter.errors import InvalidInput, LivefilterError, SinkLost, SinkUnavailable
from livefilter.frame import Frame
from livefilter.masking import mask_address
from livefilter.output.base import SinkOptions
from livefilter.output.video import relay as relay_module
from livefilter.output.video import stream as stream_module
from livefilter.output.video.relay import Relay, RelayFailed
from livefilter.output.video.stream import StreamSink
from tests.conftest import frame, picture
from tests.fakes import until
from tests.output.video.sync import frames_of, make_sync_video

OPTIONS = SinkOptions(64, 48, 30.0)
SECRET = "live_123_SeCrEt"
WAIT_S = 60.0

# What a user waits for an answer at most, before it is raised for busy machines.
ANSWER_S = relay_module._ANSWER_S

# Receives one RTMP publisher and writes what it sends into a file, with the libav of PyAV.
_RTMP_SERVER = """
import av, sys
given = av.open(sys.argv[1], options={"listen": "1"}, timeout=120)
with given, av.open(sys.argv[2], "w", format="flv") as kept:
    streams = {stream.index: kept.add_stream_from_template(stream) for stream in given.streams}
    for packet in given.demux():
        if packet.dts is not None:
            packet.stream = streams[packet.stream.index]
            kept.mux(packet)
"""


@pytest.fixture(autouse=True)
def _slow_relays(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine takes seconds to start the process that carries a stream."""
    monkeypatch.setattr(relay_module, "_ANSWER_S", WAIT_S)
    monkeypatch.setattr(relay_module, "_DRAIN_S", WAIT_S)


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port that nothing listens on."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def udp_listener() -> Iterator[tuple[socket.socket, str]]:
    """A socket that keeps what a short stream sends, and the address to stream to."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(0.5)
        yield listener, f"udp://127.0.0.1:{listener.getsockname()[1]}"


def drain(listener: socket.socket, received: bytearray) -> None:
    """Take everything that has arrived."""
    with suppress(TimeoutError):
        while True:
            received += listener.recv(65536)


@contextmanager
def rtmp_server(saved: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """An RTMP server that writes into `saved`: its address without the key, and its process."""
    port = free_port()
    address = f"rtmp://127.0.0.1:{port}/live"
    command = [sys.executable, "-c", _RTMP_SERVER, f"{address}/any", str(saved)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as server:
        try:
            # Looked at from outside: a connection to try it would be taken for the publisher.
            wait_until_listening(port)
            yield address, server
            server.wait(WAIT_S)
        finally:
            server.kill()


def wait_until_listening(port: int, protocol: str = "tcp") -> None:
    """Wait until a port of this machine is in the LISTEN state, or bound for UDP."""
    table = Path("/proc/net") / protocol
    if not table.exists():
        pytest.skip(f"needs {table} to see when the listener is ready")
    state = {"tcp": "0A", "udp": "07"}[protocol]
    until(lambda: f":{port:04X} 00000000:0000 {state}" in table.read_text(), "a listener")


def connect(address: str, options: SinkOptions = OPTIONS) -> StreamSink:
    """Open a stream, as its listener may need another moment."""
    return StreamSink(address, options)


def test_a_udp_stream_is_mpeg_ts_with_picture_and_sound(tmp_path: Path) -> None:
    """A listener gets whole transport packets that decode to the frames and the sound of the file."""
    media = make_sync_video(tmp_path / "in.mp4", seconds=2.0)
    received = bytearray()
    with udp_listener() as (listener, address):
        with StreamSink(address, SinkOptions(64, 48, 30.0, media, live=False)) as sink:
            for given in frames_of(media):
                sink.send(given)
        drain(listener, received)
    assert len(received) % 188 == 0
    assert set(received[::188]) == {0x47}
    with av.open(BytesIO(bytes(received)), "r", format="mpegts") as container:
        kinds = [(stream.type, stream.codec_context.name) for stream in container.streams]
        assert ("audio", "aac") in kinds
        assert len(list(container.decode(container.streams.video[0]))) == 60


def test_an_rtmp_stream_arrives_at_a_server(tmp_path: Path) -> None:
    """A real RTMP session: every frame and the sound, with a picture to start from at once."""
    media = make_sync_video(tmp_path / "in.mp4", seconds=2.0)
    saved = tmp_path / "saved.flv"
    with (
        rtmp_server(saved) as (address, _),
        connect(f"{address}/{SECRET}", SinkOptions(64, 48, 30.0, media, live=False)) as sink,
    ):
        assert SECRET not in sink.name
        for given in frames_of(media):
            sink.send(given)
    with av.open(str(saved)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        assert container.streams.audio[0].codec_context.name == "aac"
    assert len(packets) >= 58
    assert packets[0].is_keyframe


def test_a_viewer_waits_at_most_two_seconds_for_a_picture(tmp_path: Path) -> None:
    """Keyframes come by time, also when the camera gives far fewer frames than promised."""
    received = bytearray()
    with udp_listener() as (listener, address):
        with StreamSink(address, SinkOptions(64, 48, 60.0)) as sink:
            for number in range(40):
                sink.send(Frame(picture(number=number), number, number * 0.2))
        drain(listener, received)
    with av.open(BytesIO(bytes(received)), "r", format="mpegts") as container:
        keys = [float(shown.time or 0.0) for shown in container.decode(container.streams.video[0]) if shown.key_frame]
    assert len(keys) == 4
    assert [after - before for before, after in itertools.pairwise(keys)] == pytest.approx([2.0] * 3, abs=0.21)


def test_a_lost_server_is_said_without_the_key(tmp_path: Path) -> None:
    """When the server dies, send raises SinkLost with the masked address, and closing works as ever."""
    with rtmp_server(tmp_path / "saved.flv") as (address, server):
        sink = connect(f"{address}/{SECRET}")
        sink.send(frame(number=0))
        server.kill()
        with pytest.raises(SinkLost, match=r"/live/\*\*\* broke off") as caught:
            send_for_long(sink)
        sink.close()
        assert SECRET not in all_words_of(caught.value)
        with pytest.raises(SinkLost, match="has ended"):
            sink.send(frame())


def send_for_long(sink: StreamSink) -> None:
    """Send frame after frame until something breaks."""
    deadline = time.monotonic() + WAIT_S
    waiting = threading.Event()
    for number in range(1, 10**6):
        sink.send(frame(number=number, captured_at=number / 30))
        assert time.monotonic() < deadline
        waiting.wait(0.005)


def fill(relay: Relay) -> None:
    """Write far more than may wait."""
    for _ in range(10_000):
        relay.write(bytes(32768))


def all_words_of(error: BaseException) -> str:
    """The messages of an error and of all its causes, as a traceback would show them."""
    words = []
    cause: BaseException | None = error
    while cause is not None:
        words.append(str(cause))
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return " ".join(words)


def test_a_server_that_is_not_there_fails_at_once_and_keeps_the_key() -> None:
    """A refused connection names the masked address, the cause and the fix."""
    with pytest.raises(SinkUnavailable, match=r"/app/\*\*\*: Connection refused\. Check the address") as caught:
        StreamSink(f"rtmp://127.0.0.1:{free_port()}/app/{SECRET}", OPTIONS)
    assert SECRET not in all_words_of(caught.value)


def test_a_server_that_never_answers_fails_within_five_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Meanwhile every other thread runs on, and nothing is left behind."""
    monkeypatch.setattr(relay_module, "_ANSWER_S", ANSWER_S)
    before = set(threading.enumerate())
    beats = 0
    over = threading.Event()

    def beat() -> None:
        nonlocal beats
        while not over.wait(0.01):
            beats += 1

    other = threading.Thread(target=beat)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        other.start()
        try:
            with pytest.raises(SinkUnavailable, match="did not answer within 5 seconds"):
                StreamSink(f"rtmp://127.0.0.1:{silent.getsockname()[1]}/app/{SECRET}", OPTIONS)
        finally:
            over.set()
            other.join(WAIT_S)
    assert beats > 5
    assert set(threading.enumerate()) <= before


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg as the listener")
def test_an_srt_stream_arrives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SRT works through PyAV where it has it, else through the ffmpeg program."""
    monkeypatch.setattr(relay_module, "_DRAIN_S", 1.0)  # ffmpeg does not end by itself
    protocols = subprocess.run(["ffmpeg", "-hide_banner", "-protocols"], capture_output=True, text=True, timeout=30)
    if " srt\n" not in protocols.stdout:
        pytest.skip("ffmpeg here was built without SRT")
    saved, port = tmp_path / "saved.ts", free_port(socket.SOCK_DGRAM)
    command = ["ffmpeg", "-v", "error", "-nostdin", "-i", f"srt://127.0.0.1:{port}?mode=listener"]
    with subprocess.Popen([*command, "-c", "copy", str(saved)], stderr=subprocess.DEVNULL) as listener:
        try:
            wait_until_listening(port, "udp")
            with StreamSink(f"srt://127.0.0.1:{port}?latency=20000", OPTIONS) as sink:
                numbers = itertools.count()

                def arrived() -> bool:
                    number = next(numbers)
                    sink.send(frame(number=number, captured_at=number / 30))
                    return saved.exists() and saved.stat().st_size > 20_000

                until(arrived, "a piece of the stream at the listener")
            listener.wait(WAIT_S)
        finally:
            listener.kill()
    with av.open(str(saved)) as container:
        assert sum(1 for packet in container.demux(video=0) if packet.size) > 10


def test_srt_without_any_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where neither PyAV nor ffmpeg has SRT, the error names the protocol and the commands."""
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(stream_module, "python_relay", lambda: says("error: Protocol not found"))
    with pytest.raises(SinkUnavailable, match=r"built without srt.*apt install ffmpeg"):
        StreamSink("srt://127.0.0.1:9000", OPTIONS)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://host/x", "must start with rtmp"),
        ("rtmp:///app/key", "names no host"),
        ("rtmp://host", "names no application"),
        ("udp://host", "names no port"),
        ("srt://host:99999", "not from 1 to 65535"),
    ],
)
def test_a_bad_address_is_refused_before_anything_is_opened(address: str, words: str) -> None:
    """The error says what is missing and how it is written."""
    with pytest.raises(InvalidInput, match=words):
        StreamSink(address, OPTIONS)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"rtmp://host/app/{SECRET}", "rtmp://host/app/***"),
        (f"rtmps://host:443/app/inst/{SECRET}?x=1", "rtmps://host:443/app/***?x=***"),
        (f"rtmp://user:{SECRET}@host/app/key", "rtmp://***@host/app/***"),
        (f"srt://host:9000?passphrase={SECRET}&latency=200", "srt://host:9000?passphrase=***&latency=200"),
        (f"srt://host:9000?streamid={SECRET}", "srt://host:9000?streamid=***"),
        ("udp://239.0.0.1:5000?ttl=4", "udp://239.0.0.1:5000?ttl=4"),
        (f"rtmp://host/app?key={SECRET}", "rtmp://host/app?key=***"),
    ],
)
def test_secrets_are_masked_and_the_rest_is_shown(url: str, shown: str) -> None:
    """A person can tell which server is meant, and nobody can stream in their name."""
    assert mask_address(url) == shown


def says(line: str) -> list[str]:
    """A carrier that says one line and ends."""
    return [sys.executable, "-c", f"print({line!r})"]


def swallows(count: int) -> list[str]:
    """A carrier that connects, takes a little and then nothing, like a network that has died."""
    code = f"import sys, time; print('open', flush=True); sys.stdin.buffer.read({count}); time.sleep(200)"
    return [sys.executable, "-c", code]


def test_a_network_that_takes_nothing_is_an_error_not_a_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """When several seconds of video wait, the connection counts as lost, and closing does not hang."""
    monkeypatch.setattr(relay_module, "_DRAIN_S", 0.5)
    relay = Relay(swallows(10), b"", timeout_s=WAIT_S, stall_s=0.3)
    with pytest.raises(RelayFailed, match="taken nothing"):
        fill(relay)
    started = time.monotonic()
    relay.close()
    assert time.monotonic() - started < WAIT_S


def test_the_last_bytes_arrive_before_the_end(tmp_path: Path) -> None:
    """Closing hands over what waits first."""
    saved = tmp_path / "saved"
    code = f"import sys; print('open', flush=True); open({os.fspath(saved)!r}, 'wb').write(sys.stdin.buffer.read())"
    relay = Relay([sys.executable, "-c", code], b"head ", timeout_s=WAIT_S)
    relay.write(b"and tail")
    relay.close()
    relay.close()
    assert saved.read_bytes() == b"head and tail"


@pytest.mark.skipif(sys.platform == "win32", reason="process groups are POSIX")
def test_ctrl_c_does_not_reach_the_carrier(tmp_path: Path) -> None:
    """The terminal interrupts everything in its group; the carrier is in another, so that the end can be sent."""
    saved = tmp_path / "group"
    code = (
        f"import os, sys; open({os.fspath(saved)!r}, 'w').write(str(os.getpgrp())); print('open', flush=True); input()"
    )
    Relay([sys.executable, "-c", code], b"", timeout_s=WAIT_S).close()
    assert int(saved.read_text()) != os.getpgrp()


def test_errors_are_all_livefilter_errors() -> None:
    """Whoever catches LivefilterError catches every failure to stream."""
    assert issubclass(SinkLost, LivefilterError)
    assert issubclass(SinkUnavailable, LivefilterError)
