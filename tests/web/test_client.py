"""The client for scripts."""

from __future__ import annotations

import http.server
import socket
import threading

import cv2
import numpy as np
import pytest

from livefilter import Client
from livefilter.errors import LivefilterError
from tests.conftest import frame
from tests.web.conftest import Desk


def test_a_script_steers_and_reads(desk: Desk) -> None:
    """Actions, state, figures and the picture, each in one call."""
    client = Client(desk.page.url)
    client.do("style", name="paprika")
    assert client.state()["style"] == "paprika"
    assert "styled_fps" in client.meters()
    desk.page.send(frame())
    image = cv2.imdecode(np.frombuffer(client.picture(), np.uint8), cv2.IMREAD_COLOR)
    assert image is not None


def test_errors_say_what_why_and_how_to_mend_it(desk: Desk) -> None:
    """A refusal and a livefilter that is not there are both one line for a person."""
    client = Client(desk.page.url)
    with pytest.raises(
        LivefilterError, match=r"strength was not done\. value of strength must be a number from 0 to 1"
    ):
        client.do("strength", value=9)
    with pytest.raises(LivefilterError, match="Unknown action"):
        client.do("../state")
    with pytest.raises(LivefilterError, match="The token is not the one"):
        Client(desk.page.url, token="wrong").state()
    with pytest.raises(LivefilterError, match=r"does not answer.*Start livefilter run"):
        Client("http://127.0.0.1:9").state()


def test_a_program_without_http_is_told_from_livefilter() -> None:
    """As one line, too."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            with server.accept()[0] as caller:
                caller.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
                caller.recv(1 << 16)

        threading.Thread(target=greet, daemon=True).start()
        with pytest.raises(LivefilterError, match="another program answers there, with no HTTP"):
            Client(f"http://127.0.0.1:{server.getsockname()[1]}").state()


@pytest.mark.parametrize(("code", "answer"), [(404, "HTTP 404"), (200, "no JSON")])
def test_another_program_is_told_from_livefilter(code: int, answer: str) -> None:
    """Its pages are not the error: one line says that it is another program, and what to do."""

    class Another(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(code)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<html>\n<body>a router</body>\n</html>")

        def log_message(self, *words: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Another) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        with pytest.raises(LivefilterError) as raised:
            Client(address).state()
    assert str(raised.value) == (
        f"{address} is not livefilter: another program answers there, with {answer}. "
        "Start livefilter run, or correct the address."
    )


@pytest.mark.parametrize(
    ("status", "said"),
    [("502 Bad Gateway", "another program answers there, with HTTP 502"), ("200 OK", "broke off while it answered")],
)
def test_an_answer_that_breaks_off_is_one_line_too(status: str, said: str) -> None:
    """Of a refusal its status is left to tell; livefilter itself may end while it answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            with server.accept()[0] as caller:
                caller.recv(1 << 16)
                caller.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 99\r\n\r\n<html>".encode())

        threading.Thread(target=answer, daemon=True).start()
        with pytest.raises(LivefilterError, match=said):
            Client(f"http://127.0.0.1:{server.getsockname()[1]}").state()
