"""Comes later."""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from livefilter.web.site import Site


def routes(site: Site) -> Iterable[web.RouteDef]:
    """None yet."""
    return []
