"""The live page as an HTTP client sees it."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest

from livefilter.errors import InvalidInput, SinkLost, SinkUnavailable
from livefilter.frame import Frame, Image
from livefilter.output.base import SinkOptions
from livefilter.output.page import PageSink
from livefilter.web import live_stream
from livefilter.web.address import DEFAULT_PORT
from tests.conftest import frame, picture
from tests.fakes import WAIT_S, until

OPTIONS = SinkOptions(width=64, height=48, fps=30.0)


@pytest.fixture
def page() -> Iterator[PageSink]:
    """An open live page on a free port."""
    with PageSink("0", OPTIONS) as sink:
        yield sink


def port_of(sink: PageSink) -> int:
    """The port in the address of a page."""
    return int(sink.url.rsplit(":", 1)[1].strip("/"))


def get(
    sink: PageSink, path: str, headers: dict[str, str] | None = None, method: str = "GET"
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers (lower case) and body of one request."""
    connection = http.client.HTTPConnection("127.0.0.1", port_of(sink), timeout=60)
    try:
        connection.request(method, path, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def health(sink: PageSink) -> dict[str, Any]:
    """What `/healthz` says."""
    state = json.loads(get(sink, "/healthz")[2])
    assert isinstance(state, dict)
    return state


class Viewer:
    """A client of the stream that takes one picture at a time."""

    def __init__(self, sink: PageSink) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port_of(sink), timeout=60)
        self.connection.request("GET", "/stream.mjpg")
        self.answer = self.connection.getresponse()
        assert self.answer.status == 200
        assert self.answer.readline() == b"--livefilter-frame\r\n"

    def take(self) -> Image:
        """The next picture, when the boundary behind it has come."""
        assert self.answer.readline() == b"Content-Type: image/jpeg\r\n"
        length = int(self.answer.readline().split(b":")[1])
        assert self.answer.readline() == b"\r\n"
        jpeg = self.answer.read(length)
        assert self.answer.read(2) == b"\r\n"
        assert self.answer.readline() == b"--livefilter-frame\r\n"
        return decoded(jpeg)

    def close(self) -> None:
        self.answer.close()
        self.connection.close()


def decoded(jpeg: bytes) -> Image:
    """The picture in a JPEG file."""
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return np.asarray(image, dtype=np.uint8)


def apart(one: Image, other: Image) -> float:
    """Mean difference of two pictures, in levels of 0..255."""
    return float(np.abs(one.astype(np.int16) - other.astype(np.int16)).mean())


def test_the_default_port_is_used_and_the_next_free_one_after_it() -> None:
    """Without a port, a second page opens beside the first one, and both names say where they are."""
    with PageSink("", OPTIONS) as first, PageSink("", OPTIONS) as second:
        ports = port_of(first), port_of(second)
        assert DEFAULT_PORT <= ports[0] < ports[1] <= DEFAULT_PORT + 20
        assert first.name == f"live page http://127.0.0.1:{ports[0]}/"
        assert health(second)["clients"] == 0


def test_a_taken_port_is_an_error_that_names_it(page: PageSink) -> None:
    """A port of the user's choice is never replaced by another one."""
    port = port_of(page)
    with pytest.raises(SinkUnavailable, match=rf"127\.0\.0\.1 port {port}: in use.*Choose another"):
        PageSink(str(port), OPTIONS)


@pytest.mark.parametrize("target", ["0.0.0.0:8090", "192.168.1.5:8090", "[::]:8090", "example.org:80", "::1"])
def test_an_address_that_others_can_reach_is_refused(target: str) -> None:
    """The picture of a person is not put on the network by accident."""
    with pytest.raises(InvalidInput, match=r"others on the network could watch|neither a port nor an address"):
        PageSink(target, OPTIONS)


@pytest.mark.parametrize(
    ("target", "port"),
    [
        ("80x", "80x"),
        ("70000", "70000"),
        ("127.0.0.1:http", "http"),
        ("[::1]:8x", "8x"),
        ("localhost:8090/live", "8090/live"),
    ],
)
@pytest.mark.parametrize("lan", [False, True])
def test_a_port_that_is_no_number_is_said_to_be_none(target: str, port: str, lan: bool) -> None:
    """It is not taken for the name of a host, and is told before the input is opened."""
    with pytest.raises(InvalidInput, match=rf"has no port: '{port}' is no number from 1 to 65535\. Give one, such as"):
        PageSink(target, replace(OPTIONS, lan=lan))
    with pytest.raises(InvalidInput, match="has no port"):
        PageSink.check(target)


@pytest.mark.parametrize(
    "target", ["hello", "http://127.0.0.1:8090", "http://127.0.0.1:8090/", "http://127.0.0.1", "[::1", "fe80::1:abcd"]
)
def test_what_is_no_address_is_refused(target: str) -> None:
    """A target that cannot be understood names itself and shows one that can."""
    with pytest.raises(InvalidInput, match=r"is neither a port nor an address.*such as 127\.0\.0\.1:8090"):
        PageSink(target, OPTIONS)


@pytest.mark.parametrize("target", ["127.0.0.1:0", "localhost:0", "[::1]:0"])
def test_every_spelling_of_this_computer_is_taken(target: str) -> None:
    """Names and addresses of the loopback open a page whose address works."""
    try:
        sink = PageSink(target, OPTIONS)
    except SinkUnavailable as error:
        pytest.skip(f"no such loopback address here: {error}")
    with sink:
        host = sink.url[len("http://") :].rsplit(":", 1)[0].strip("[]")
        with socket.create_connection((host, port_of(sink)), timeout=60) as client:
            client.sendall(f"GET /healthz HTTP/1.1\r\nHost: {sink.url[7:-1]}\r\nConnection: close\r\n\r\n".encode())
            assert client.recv(64).startswith(b"HTTP/1.1 200 ")


def test_the_snapshot_is_the_newest_frame(page: PageSink) -> None:
    """`/snapshot.jpg` gives what was sent last; before the first frame it says that there is none."""
    assert get(page, "/snapshot.jpg")[0] == 503
    page.send(frame(number=1))
    page.send(frame(number=9))
    status, headers, body = get(page, "/snapshot.jpg")
    assert (status, headers["content-type"]) == (200, "image/jpeg")
    assert apart(decoded(body), picture(number=9)) < 6


def test_health_tells_number_rate_age_and_clients(page: PageSink) -> None:
    """`/healthz` says what a person or a watchdog wants to know."""
    before = health(page)
    assert (before["frame"], before["age_s"], before["width"], before["height"]) == (None, None, 64, 48)
    for number in range(5):
        page.send(frame(number=number, captured_at=time.perf_counter() - 3))
    viewer = Viewer(page)
    after = health(page)
    assert (after["frame"], after["clients"]) == (4, 1)
    assert after["age_s"] >= 3
    assert 0 <= after["silent_s"] < after["age_s"]
    assert after["fps"] > 0
    viewer.close()


def test_two_viewers_see_every_new_frame(page: PageSink) -> None:
    """Each viewer gets the newest frame at once, and every later one while it keeps up; the page knows of them."""
    page.send(frame(number=0))
    assert not page.watched()
    viewers = [Viewer(page), Viewer(page)]
    for number in range(8):
        page.send(frame(number=number))
        for viewer in viewers:
            deadline = time.monotonic() + WAIT_S
            while apart(viewer.take(), picture(number=number)) > 6:
                assert time.monotonic() < deadline, f"frame {number} never came"
    assert page.watched()
    for viewer in viewers:
        viewer.close()


def test_a_frame_is_encoded_once_for_all_and_never_for_nobody(page: PageSink, monkeypatch: pytest.MonkeyPatch) -> None:
    """Encoding costs nothing while nobody watches, and the same however many do."""
    encoded: list[int] = []
    encode = cv2.imencode

    def counting(*arguments: Any) -> Any:
        encoded.append(1)
        return encode(*arguments)

    monkeypatch.setattr(cv2, "imencode", counting)
    for number in range(20):
        page.send(frame(number=number))
    assert health(page)["clients"] == 0
    assert not encoded
    viewers = [Viewer(page) for _ in range(3)]
    for viewer in viewers:
        viewer.take()
    assert len(encoded) == 1
    for viewer in viewers:
        viewer.close()


def test_a_viewer_that_does_not_read_skips_frames_and_holds_up_nobody(page: PageSink) -> None:
    """A stuck client gets the newest frame when it reads again, not everything it missed."""
    noise = np.random.default_rng(1).integers(0, 256, (480, 640, 3), dtype=np.uint8)  # about 400 KB as a JPEG
    with socket.socket() as stuck:
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stuck.settimeout(60)
        stuck.connect(("127.0.0.1", port_of(page)))
        stuck.sendall(f"GET /stream.mjpg HTTP/1.1\r\nHost: 127.0.0.1:{port_of(page)}\r\n\r\n".encode())
        until(lambda: health(page)["clients"] == 1, "the stuck viewer is connected")
        watching = Viewer(page)
        sent = 60
        for number in range(sent):
            page.send(Frame(np.roll(noise, number, axis=1), number, time.perf_counter()))
            watching.take()
        assert health(page)["frame"] == sent - 1
        page.send(frame(number=5))
        until(lambda: watching.take().shape[0] == 48, "the small frame reaches the viewer that reads")
        got, tail = 0, b""
        while not announces_small_picture(tail):
            part = stuck.recv(1 << 16)
            assert part
            got += len(part)
            tail = (tail + part)[-(1 << 17) :]
        assert got < 10 * 400_000, f"{got} bytes were queued for a viewer that did not read"
        watching.close()


def announces_small_picture(stream: bytes) -> bool:
    """Whether a picture of less than 4 KB, a frame of 64x48, begins in this piece of a stream."""
    lengths = [line.split(b":")[1] for line in stream.split(b"\r\n")[:-1] if line.startswith(b"Content-Length: ")]
    return any(int(length) < 4096 for length in lengths)


@pytest.mark.parametrize("path", ["/", "/stream.mjpg", "/snapshot.jpg", "/healthz", "/nothing"])
@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "127.0.0.1.evil.org:{port}", "127.0.0.1:1"])
def test_a_foreign_host_name_gets_nothing(page: PageSink, host: str, path: str) -> None:
    """A web site that points its own name at 127.0.0.1 cannot read the picture."""
    page.send(frame())
    status, _, body = get(page, path, {"Host": host.format(port=port_of(page))})
    assert status == 403
    assert b"\xff\xd8" not in body


@pytest.mark.parametrize("host", ["localhost:{port}", "127.0.0.1:{port}", "[::1]:{port}"])
def test_the_names_of_this_computer_are_answered(page: PageSink, host: str) -> None:
    """Every loopback name with the right port reaches the page."""
    assert get(page, "/", {"Host": host.format(port=port_of(page))})[0] == 200


@pytest.mark.parametrize(("path", "site", "mode", "dest", "status"), [
    ("/snapshot.jpg", "cross-site", "no-cors", "image", 403), ("/snapshot.jpg", "same-site", "cors", "empty", 403),
    ("/snapshot.jpg", "same-origin", "no-cors", "image", 200), ("/snapshot.jpg", "none", "navigate", "document", 200),
    ("/snapshot.jpg", "cross-site", "navigate", "document", 403), ("/", "cross-site", "navigate", "document", 200),
    ("/", "cross-site", "navigate", "iframe", 403), ("/", "same-site", "navigate", "object", 403),
    ("/stream.mjpg", "cross-site", "navigate", "iframe", 403), ("/api/state", "cross-site", "cors", "empty", 403),
    ("/api/events", "cross-site", "websocket", "websocket", 403), ("/api/state", "same-origin", "cors", "empty", 200),
])  # fmt: skip
def test_another_web_site_can_link_to_the_page_and_nothing_else(
    page: PageSink, path: str, site: str, mode: str, dest: str, status: int
) -> None:
    """A browser says on whose behalf it asks; a hidden frame of another site cannot even wake the camera."""
    page.send(frame())
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": dest}
    assert get(page, path, headers)[0] == status
    assert not page.watched()


@pytest.mark.parametrize("path", ["/", "/live.js", "/base.css", "/icon.svg", "/snapshot.jpg", "/healthz", "/nothing"])
def test_every_answer_carries_the_security_headers(page: PageSink, path: str) -> None:
    """Nothing is cached, guessed, framed or readable from another origin."""
    page.send(frame())
    _, headers, _ = get(page, path)
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "access-control-allow-origin" not in headers
    assert "python" not in headers["server"].lower()


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_nothing_can_be_written(page: PageSink, method: str) -> None:
    """The page only shows; every other verb is refused."""
    assert get(page, "/", method=method)[0] == 405


def test_too_many_viewers_are_turned_away(page: PageSink) -> None:
    """The number of streams is bounded; one that leaves makes room."""
    page.send(frame())
    viewers = [Viewer(page) for _ in range(live_stream.MAX_VIEWERS)]
    assert get(page, "/stream.mjpg")[0] == 503
    for viewer in viewers:
        viewer.close()
    until(lambda: health(page)["clients"] == 0, "viewers that left are forgotten")


def test_close_ends_every_connection_and_the_thread() -> None:
    """Viewers that read and viewers that do not are cut off; the port is free at once; close may be called again."""
    sink = PageSink("0", OPTIONS)
    port = port_of(sink)
    big = np.random.default_rng(1).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    viewer = Viewer(sink)
    with (
        socket.create_connection(("127.0.0.1", port), timeout=60) as stuck,
        socket.create_connection(("127.0.0.1", port), timeout=60) as idle,
    ):
        stuck.sendall(f"GET /stream.mjpg HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        until(lambda: health(sink)["clients"] == 2, "both viewers are connected")
        for number in range(10):
            sink.send(Frame(big, number, 0.0))
            viewer.take()
        sink.close()
        assert not [thread for thread in threading.enumerate() if thread.name == "page-server"]
        assert idle.recv(1) == b""
        while viewer.answer.read(65536):
            pass
        with contextlib.suppress(ConnectionError):
            while stuck.recv(65536):
                pass
    viewer.close()
    sink.close()
    with PageSink(str(port), OPTIONS) as again:
        assert health(again)["frame"] is None


def test_a_closed_page_takes_no_frames(page: PageSink) -> None:
    """Sending to a closed page is an error that names it."""
    page.close()
    with pytest.raises(SinkLost, match=r"live page http://127\.0\.0\.1:\d+/ is closed"):
        page.send(frame())
