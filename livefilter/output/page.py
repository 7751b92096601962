"""The live page: the styled picture in any browser, and in OBS as a Browser Source, without a driver."""

from __future__ import annotations

from typing import Any

from livefilter.errors import SinkLost, SinkUnavailable
from livefilter.frame import Frame
from livefilter.output.base import Sink, SinkOptions
from livefilter.web.address import DEFAULT_PORT, listen, network_address, parse_address, url_of
from livefilter.web.server import WebServer
from livefilter.web.site import Room


class PageSink(Sink):
    """Publishes the newest frame to the pages, on this computer alone unless `options.lan`.

    target: "" for port 8420 or the next free one; or "8090", "127.0.0.1:8090", "localhost:8090", "[::1]:8090".
        Port 0 takes any free one. Addresses that others can reach are refused, but with `options.lan`.
    url: where the page is, such as "http://127.0.0.1:8420/". `?clean=1` behind it shows the picture alone.
    Raises: InvalidInput: the target is no loopback address. SinkUnavailable: its port cannot be had. ConfigError: the
        token of `options.lan` cannot be kept.
    """

    comes_back = True

    @classmethod
    def check(cls, target: str) -> None:
        parse_address(target, lan=True)

    def __init__(self, target: str, options: SinkOptions) -> None:
        host, port = parse_address(target, lan=options.lan)
        listener = listen(host, port)
        port = int(listener.getsockname()[1])
        self.url = url_of(host, port)
        self.name = f"live page {self.url}"
        if not target.strip() and port != DEFAULT_PORT:
            self.notice = (
                f"Port {DEFAULT_PORT} is taken (another livefilter?): the page is at {self.url} - use that in OBS."
            )
        self._closed = False
        try:
            self._server = WebServer(listener, options.width, options.height, lan=options.lan)
        except OSError as error:
            raise SinkUnavailable(f"{self.name} could not be started: {error}. Choose another port.") from error
        if options.lan:
            self.notice = lan_notice(self._server, port)

    def steer(self, room: Room, **features: Any) -> None:
        """Let the page steer `room` from now on; see livefilter.web.server."""
        self._server.steer(room, **features)

    def send(self, frame: Frame) -> None:
        """Show `frame` to everyone who watches, in place of whatever they have not got yet; never waits.

        Its mark, such as "Raw camera", stands instead of "Live"; not in the clean picture.

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


def lan_notice(server: WebServer, port: int) -> str:
    """The address for others on the network.

    Raises: ConfigError: the token cannot be kept.
    """
    token, host = server.site.token.ensure(), network_address()
    if host is None:
        return f"This computer is on no network; from there the page would be at port {port} with ?token={token}"
    return f"On your network: http://{host}:{port}/?token={token} (who has this address can watch and steer)"
