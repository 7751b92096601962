"""The pages and their parts, as they lie beside this file: no build step, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from importlib.resources import files

from aiohttp import web

_KINDS = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}
# Address -> file. Views other than these are reached by their own name.
_VIEWS = {"/": "live.html", "/dock": "live.html", "/photo": "photo.html", "/setup": "setup.html"}


def assets() -> dict[str, tuple[bytes, str]]:
    """Address -> content and type of everything that may be had without a token."""
    folder = files("livefilter.web") / "assets"
    found = {}
    for file in folder.iterdir():
        suffix = "." + file.name.rpartition(".")[2]
        if suffix in _KINDS:
            found[f"/{file.name}"] = (file.read_bytes(), _KINDS[suffix])
    return found | {address: found[f"/{name}"] for address, name in _VIEWS.items() if f"/{name}" in found}


def routes(known: dict[str, tuple[bytes, str]]) -> Iterable[web.RouteDef]:
    """One route for each of `known`."""
    return [web.get(address, _asset(*content)) for address, content in known.items()]


def _asset(body: bytes, kind: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=body, content_type=kind, charset="utf-8")

    return answer
