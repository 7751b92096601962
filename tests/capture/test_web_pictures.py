"""Pictures from web servers that keep to no standard."""

from __future__ import annotations

import http.server
import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from PIL import Image

from livefilter.capture.base import SourceOptions
from livefilter.capture.stream import open_stream
from livefilter.capture.web_pictures import WebPicturesSource, parts
from livefilter.errors import SourceLost, SourceUnavailable


def encoded(kind: str = "JPEG", red: int = 200) -> bytes:
    """A small picture of one colour."""
    file = io.BytesIO()
    Image.new("RGB", (64, 48), (red, 60, 30)).save(file, kind)
    return file.getvalue()


JPEG = encoded()


@pytest.mark.parametrize(
    "stream",
    [
        b"--f\r\nContent-Type: image/jpeg\r\nContent-Length: 3\r\n\r\nabc\r\n--f\r\nContent-Length: 2\r\n\r\nde\r\n",
        b"Content-Type: image/jpeg\r\nContent-Length: 3\r\n\r\nabc\r\n--f\r\nContent-Length: 2\r\n\r\nde\r\n--f\r\n",
        b"--f\r\nContent-Type: image/jpeg\r\n\r\nabc\r\n--f\r\nContent-Type: image/jpeg\r\n\r\nde\r\n--f\r\n",
        b"----f\nContent-type:image/jpeg\n\nabc\n----f\nContent-type:image/jpeg\n\nde\n----f\n",
        b"\r\n--f\r\n\r\nabc\r\n--f\r\ncontent-length:2\r\n\r\nde--f\r\n",
    ],
    ids=["right", "no first boundary", "only a type", "more dashes", "no header"],
)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_parts_are_found(stream: bytes, size: int) -> None:
    """Whatever is missing, and however the network cuts it."""
    file = io.BytesIO(stream)
    assert list(parts(lambda _most: file.read(size), "f")) == [b"abc", b"de"]


def test_what_is_no_multipart_stream_is_told() -> None:
    """A body without an end of line is given up early."""
    file = io.BytesIO(bytes(10**6))
    with pytest.raises(ValueError, match="no multipart stream"):
        list(parts(file.read, "f"))


def read_on(source: WebPicturesSource) -> None:
    """Read until an error ends it."""
    while True:
        source.read()


@contextmanager
def server(kind: str, chunks: list[bytes]) -> Iterator[tuple[str, list[str]]]:
    """A server that answers each request with these chunks; its address, and the paths that were asked for."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.end_headers()
            try:
                for chunk in chunks:
                    self.wfile.write(chunk)
            except OSError:
                pass

        def log_message(self, *args: object) -> None:
            pass

    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{made.server_port}", asked
    finally:
        made.shutdown()
        made.server_close()
        thread.join(10)


def test_a_still_picture_is_asked_for_again() -> None:
    """A camera's snapshot address is a slow camera."""
    with server("image/jpeg", [JPEG]) as (address, asked):
        with open_stream(f"{address}/snap", SourceOptions()) as source:
            assert isinstance(source, WebPicturesSource)
            before = len(asked)
            images = [source.read().image for _ in range(3)]
        assert len(asked) >= before + 2
    assert images[-1][20, 20].tolist() == pytest.approx([30, 60, 200], abs=6)


def test_png_parts_are_read() -> None:
    """FFmpeg takes every part for JPEG."""
    part = encoded("PNG")
    chunks = [b"--f\r\nContent-Length: %d\r\n\r\n" % len(part) + part + b"\r\n"] * 500
    with (
        server("multipart/x-mixed-replace; boundary=f", chunks) as (address, _),
        open_stream(address, SourceOptions(open_timeout_s=5)) as source,
    ):
        assert source.read().image[20, 20].tolist() == [30, 60, 200]


def test_an_ended_stream_is_lost() -> None:
    """So that it can be opened again."""
    chunks = [b"Content-Length: %d\r\n\r\n" % len(JPEG) + JPEG + b"\r\n--f\r\n"] * 3
    with server("multipart/x-mixed-replace; boundary=f", chunks) as (address, _):
        source = WebPicturesSource(address, SourceOptions())
        with source, pytest.raises(SourceLost, match="ended by its sender"):
            read_on(source)


def test_rubbish_is_no_stream() -> None:
    """The opening fails at once, with the reason."""
    chunks = [b"--f\r\nContent-Length: 4\r\n\r\nabcd\r\n"] * 20
    with (
        server("multipart/x-mixed-replace; boundary=f", chunks) as (address, _),
        pytest.raises(SourceUnavailable),
    ):
        open_stream(address, SourceOptions(open_timeout_s=5))
