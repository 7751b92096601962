"""The live page: the styled picture in any browser, and in OBS as a Browser Source, without a driver."""

from __future__ import annotations

import errno
import ipaddress
import socket
from urllib.parse import urlsplit

from livefilter.errors import InvalidInput, SinkLost, SinkUnavailable
from livefilter.frame import Frame
from livefilter.output.base import Sink, SinkOptions
from livefilter.output.page_server import PageServer

DEFAULT_PORT = 8420
# Without a port of the user's choice, this many more are tried: a second livefilter gets the next one.
MORE_PORTS = 20


class PageSink(Sink):
    """Serves the newest frame as a page on this computer alone.

    target: "" for port 8420 or the next free one; or "8090", "127.0.0.1:8090", "localhost:8090", "[::1]:8090".
        Port 0 takes any free one. Addresses that others can reach are refused.
    url: where the page is, such as "http://127.0.0.1:8420/". `?clean=1` behind it shows the picture alone.
    Raises: InvalidInput: the target is no loopback address. SinkUnavailable: its port cannot be had.
    """

    def __init__(self, target: str, options: SinkOptions) -> None:
        host, port = _parse(target)
        listener = _listen(host, port)
        port = int(listener.getsockname()[1])
        self.url = f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
        self.name = f"live page {self.url}"
        if not target.strip() and port != DEFAULT_PORT:
            self.notice = (
                f"Port {DEFAULT_PORT} is taken (another livefilter?): the page is at {self.url} - use that in OBS."
            )
        self._closed = False
        try:
            self._server = PageServer(listener, options.width, options.height)
        except OSError as error:
            raise SinkUnavailable(f"{self.name} could not be started: {error}. Choose another port.") from error

    @property
    def mark(self) -> str:
        """What the page says instead of "Live", such as "Raw camera"; nothing when empty. Not in the clean picture."""
        return self._server.mark

    @mark.setter
    def mark(self, text: str) -> None:
        self._server.mark = text

    def send(self, frame: Frame) -> None:
        """Show `frame` to everyone who watches, in place of whatever they have not got yet; never waits.

        Raises: SinkLost: the server has ended.
        """
        if self._closed:
            raise SinkLost(f"{self.name} is closed, so it shows no more frames. Open it again.")
        try:
            self._server.publish(frame)
        except RuntimeError as error:
            raise SinkLost(f"{self.name} has ended: {error}. Start livefilter again.") from error

    def watched(self) -> bool:
        """Whether a page or a picture of it is open anywhere."""
        return self._server.viewers > 0

    def close(self) -> None:
        """End every connection and free the port, within a second. Can be called twice."""
        self._closed = True
        self._server.close()


def _parse(target: str) -> tuple[str, int]:
    """Host and port of a target; port -1 stands for "not chosen"."""
    text = target.strip()
    if text.isdecimal():
        text = f"127.0.0.1:{text}"
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname or "127.0.0.1", -1 if parts.port is None else parts.port
        plain = not (parts.path or parts.query or parts.fragment or parts.username)
    except ValueError:
        plain = False
    if not plain or (host.isalpha() and host != "localhost" and port < 0):
        raise InvalidInput(
            f"Live page target {target!r} is neither a port nor an address. Give a port from 1 to 65535, such as 8090, "
            "or an address such as 127.0.0.1:8090."
        )
    host = "127.0.0.1" if host == "localhost" else host
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise InvalidInput(
            f"Live page cannot listen on {host!r}: others on the network could watch, and it shows a live person. "
            "Use an address of this computer alone, such as 127.0.0.1:8090; "
            "to send the picture elsewhere, use the stream output."
        )
    return host, port


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    ports = range(DEFAULT_PORT, DEFAULT_PORT + MORE_PORTS + 1) if port < 0 else range(port, port + 1)
    cause: OSError | None = None
    for candidate in ports:
        try:
            return socket.create_server((host, candidate), family=family, backlog=32)
        except OSError as error:
            cause = error
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                break
    tried = f"port {ports[0]}" if len(ports) == 1 else f"ports {ports[0]} to {ports[-1]}"
    if cause is not None and cause.errno == errno.EADDRINUSE:
        why = "in use by another program"
    elif cause is not None and cause.errno == errno.EACCES:
        why = "not allowed for this user"
    else:
        why = f"refused by the system ({cause and cause.strerror})"
    fix = "Choose another one, such as 8450, or leave the port out to take the next free one."
    raise SinkUnavailable(f"Live page cannot listen on {host} {tried}: {why}. {fix}") from cause
