"""Where the pages are served: what a user may write, and a socket that listens there."""

from __future__ import annotations

import errno
import ipaddress
import socket
from urllib.parse import urlsplit

from livefilter.errors import InvalidInput, SinkUnavailable

DEFAULT_PORT = 8420
# Without a port of the user's choice, this many more are tried: a second livefilter gets the next one.
MORE_PORTS = 20
_ANOTHER_PORT = "Choose another one, such as 8450, or leave the port out to take the next free one."


def parse_address(target: str, *, lan: bool = False) -> tuple[str, int]:
    """Host and port of a target such as "8090" or "127.0.0.1:8090"; port -1 stands for "not chosen".

    Raises: InvalidInput: it is none; or others could reach it, without `lan`.
    """
    text = target.strip()
    everywhere = "0.0.0.0" if lan else "127.0.0.1"
    _require_number(target, text)
    if text.isdecimal():
        text = f"{everywhere}:{text}"
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname or everywhere, -1 if parts.port is None else parts.port
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
        reachable = not ipaddress.ip_address(host).is_loopback
    except ValueError:
        reachable = True
    if reachable and not lan:
        raise InvalidInput(
            f"Live page cannot listen on {host!r}: others on the network could watch, and it shows a live person. "
            "Use an address of this computer alone, such as 127.0.0.1:8090; --lan lets those in who have the token."
        )
    return host, port


def _require_number(target: str, text: str) -> None:
    """Refuse what is meant as a port and is none, such as "80x", "70000" or "localhost:http". Raises: InvalidInput."""
    host, colon, port = text.rpartition(":")
    if "://" in text or (":" in host and "]" not in host):
        return  # an address of another kind, whose end need not be a port, or one of IPv6
    meant = host or (port[:1].isdigit() and "." not in port)
    if port and meant and not (port.isdecimal() and int(port) <= 65535):
        raise InvalidInput(
            f"Live page target {target!r} has no port: {port!r} is no number from 1 to 65535. Give one, such as "
            f"{host}{colon}8090."
        )


def listen(host: str, port: int, what: str = "Live page", fix: str = _ANOTHER_PORT) -> socket.socket:
    """A listening socket; port -1 takes the default one or the next that is free.

    what: is to be served there. fix: what helps whoever cannot have the port.
    Raises: SinkUnavailable.
    """
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
    raise SinkUnavailable(f"{what} cannot listen on {host} {tried}: {why}.", fix=fix) from cause


def url_of(host: str, port: int) -> str:
    """The address of a page, such as "http://127.0.0.1:8420/"; one that means this computer for "everywhere"."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def network_address() -> str | None:
    """This computer's address on its network, as the system would send from it; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # a documentation address, RFC 5737
            found = str(probe.getsockname()[0])
        except OSError:
            return None
    return None if ipaddress.ip_address(found).is_loopback or found == "0.0.0.0" else found
