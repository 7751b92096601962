"""Who is answered: any web site can point a name, a picture or a script at 127.0.0.1."""

from __future__ import annotations

import ipaddress
import logging
import socket
from urllib.parse import urlsplit

from aiohttp import web

from livefilter.web.answers import Handler, Refused, answered, refusal
from livefilter.web.peer import is_own_user
from livefilter.web.site import Site
from livefilter.web.token import Attempts

_log = logging.getLogger(__name__)

# What a link on another web site may lead to: a page that the visitor sees, and nothing that acts or shows by itself.
PAGES = ("/", "/dock", "/photo", "/setup")
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self' blob:; media-src 'self' blob:; style-src 'self'; script-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Server": "livefilter",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Guard:
    """Lets through this computer's own user, and others on the network with the token.

    public: paths of pages and their parts, which show nothing of anybody.
    """

    def __init__(self, site: Site, public: frozenset[str]) -> None:
        self._site = site
        self._public = public
        self._attempts = Attempts()
        self._names = {"localhost"}
        if site.lan:
            name = socket.gethostname().lower()
            self._names |= {name, f"{name}.local"}

    @web.middleware
    async def check(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer or refuse; whatever goes wrong becomes an answer, too."""
        try:
            self._check(request)
            return await handler(request)
        except Refused as refused:
            return self._answered(request, refused)
        except web.HTTPException as error:
            if request.path.startswith("/api/"):
                fix = "GET /api/openapi.json lists what there is."
                why = f"{error.reason}."
                answer = answered(request, Refused(error.status, "The request was not answered.", why, fix))
                if "Allow" in error.headers:
                    answer.headers["Allow"] = error.headers["Allow"]
                return answer
            raise
        except ConnectionError:
            raise
        except Exception as error:
            told = refusal(error, "The request failed.")
            if told.status == 500:
                _log.exception("%s %s failed", request.method, request.path)
            return self._answered(request, told)

    def _answered(self, request: web.Request, refused: Refused) -> web.Response:
        """A refusal; others hear no places of files from it."""
        what, why, fix = self._site.told([refused.what, refused.why, refused.fix], elsewhere=from_elsewhere(request))
        return answered(request, Refused(refused.status, what, why, fix, refused.retry_s))

    def _check(self, request: web.Request) -> None:
        host = request.headers.get("Host", "")
        what = "The request was refused."
        if not self._is_own_address(host):
            why = "This page answers only under its own address."
            raise Refused(403, what, why, "Use the address that livefilter prints.")
        trusted = self._has_token(request)
        if request.path.startswith("/api/do/"):
            if not trusted:
                raise _token_missing()
            return
        origin = request.headers.get("Origin")
        if origin is not None and origin != f"http://{host}":
            raise Refused(403, what, "It comes from another web site.", "Steer livefilter from its own page.")
        if request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
            asked = (request.headers.get("Sec-Fetch-Mode"), request.headers.get("Sec-Fetch-Dest", "document"))
            if asked != ("navigate", "document") or request.path not in PAGES or request.method != "GET":
                raise Refused(403, what, "This picture is not for other web sites.", "Open livefilter's own page.")
        if not trusted and request.path not in self._public:
            self._check_neighbour(request, host)

    def _check_neighbour(self, request: web.Request, host: str) -> None:
        """Without a token: only this computer's own user, under a name that means this computer alone."""
        peer, here = _end(request, "peername"), _end(request, "sockname")
        if not (_is_loopback(peer[0]) and self._is_loopback_name(host)):
            raise _token_missing()
        if not is_own_user(peer, here):
            why = "It comes from another user of this computer."
            raise Refused(403, "The request was refused.", why, "Use the token: livefilter token.")

    def _has_token(self, request: web.Request) -> bool:
        """Whether the right token came with it.

        Raises: Refused: a wrong one came, or too many of them.
        """
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        given = given.strip() if scheme.lower() == "bearer" else request.query.get("token", "")
        if not given:
            return False
        address = _end(request, "peername")[0]
        if self._attempts.blocked(address):
            raise Refused(
                429, "The request was refused.", "Too many wrong tokens came from there.", "Wait a minute.", 60
            )
        if not self._site.token.matches(given):
            self._attempts.failed(address)
            why = "The token is not the one of this livefilter."
            raise Refused(401, "The request was refused.", why, "livefilter token prints the right one.")
        return True

    def _is_own_address(self, host: str) -> bool:
        try:
            parts = urlsplit(f"//{host}")
            name, port = (parts.hostname or "").lower(), parts.port or 80
            if port != self._site.port or parts.username or parts.path:
                return False
            return name in self._names or _is_loopback(name) or (self._site.lan and bool(ipaddress.ip_address(name)))
        except ValueError:
            return False

    def _is_loopback_name(self, host: str) -> bool:
        name = (urlsplit(f"//{host}").hostname or "").lower()
        return name == "localhost" or _is_loopback(name)


def from_elsewhere(request: web.Request) -> bool:
    """Whether a request that was let in comes from another computer or another user of this one."""
    peer = _end(request, "peername")
    return not (_is_loopback(peer[0]) and is_own_user(peer, _end(request, "sockname")))


async def add_headers(request: web.BaseRequest, response: web.StreamResponse) -> None:
    """Put the headers of HEADERS on every answer."""
    response.headers.update(HEADERS)


def _token_missing() -> Refused:
    fix = "Add ?token=... to the address; livefilter token prints it."
    return Refused(401, "The request was refused.", "It needs the token.", fix)


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _end(request: web.Request, which: str) -> tuple[str, int]:
    address = request.transport.get_extra_info(which) if request.transport is not None else None
    return (str(address[0]), int(address[1])) if address else ("", 0)
