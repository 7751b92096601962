"""RTSP, from a server that others use too."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from livefilter.capture.base import SourceOptions
from livefilter.capture.stream import StreamSource
from livefilter.errors import SourceLost, SourceUnavailable
from tests.capture.rtsp_server import H264, JPEG, RtspServer, lacks

OPTIONS = SourceOptions()
CODINGS = {"JPEG": (JPEG, "jpegenc"), "H.264": (H264, "x264enc")}


def read_on(source: StreamSource) -> None:
    """Read until an error ends it."""
    while True:
        source.read()


@pytest.fixture(params=CODINGS)
def server(request: pytest.FixtureRequest) -> Iterator[RtspServer]:
    """A server of one coding."""
    pipeline, element = CODINGS[request.param]
    if lacks(element):
        pytest.skip(lacks(element))
    with RtspServer(pipeline) as serving:
        yield serving


def test_pictures_of_an_rtsp_server_arrive(server: RtspServer) -> None:
    """In the size, at the rate and in the colour in which they are sent."""
    with StreamSource(server.url, OPTIONS) as source:
        assert source.info.live
        assert source.info.fps == 25
        frames = [source.read() for _ in range(5)]
        assert frames[0].image.shape == (48, 64, 3)
        assert np.abs(frames[4].image.astype(int) - (0, 0, 255)).mean() < 15


def test_a_server_that_ends_is_lost(server: RtspServer) -> None:
    """Reading fails instead of waiting for ever."""
    with StreamSource(server.url, OPTIONS) as source:
        source.read()
        server.stop()
        with pytest.raises(SourceLost, match=r"rtsp://127\.0\.0\.1:\d+/cam (broke off|was ended)"):
            read_on(source)


@pytest.mark.skipif(bool(lacks("jpegenc")), reason=lacks("jpegenc"))
def test_a_password_is_asked_for() -> None:
    """The right one opens the stream; a wrong one and a wrong path are told in the server's words, and without it."""
    with RtspServer(user="me", password="hunter2") as server:
        with StreamSource(server.url, OPTIONS) as source:
            assert "hunter2" not in source.info.name
            source.read()
        for wrong, said in ((server.url.replace("hunter2", "hunter3"), "401"), (f"{server.url}2", "404")):
            with pytest.raises(SourceUnavailable, match=said) as raised:
                StreamSource(wrong, OPTIONS)
            assert "hunter" not in str(raised.value)
