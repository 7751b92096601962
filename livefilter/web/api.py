"""The API: state, actions, and their description."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from aiohttp import web

from livefilter.web.answers import Refused, json_answer, refusal
from livefilter.web.guard import from_elsewhere
from livefilter.web.openapi import document
from livefilter.web.site import Site


def routes(site: Site) -> Iterable[web.RouteDef]:
    """/api/state, /api/meters, /api/actions/NAME, /api/do/NAME and /api/openapi.json."""
    described = document()

    async def state(request: web.Request) -> web.Response:
        return json_answer(site.told(site.room.state(), elsewhere=from_elsewhere(request)))

    async def meters(request: web.Request) -> web.Response:
        return json_answer(site.room.meters())

    async def act(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        values: dict[str, Any] = {key: value for key, value in request.query.items() if key != "token"}
        if request.method == "POST":
            values |= await _body(request, name)
        perform(site, name, values)
        return json_answer({"done": name})

    async def openapi(request: web.Request) -> web.Response:
        return json_answer(described)

    return [
        web.get("/api/state", state),
        web.get("/api/meters", meters),
        web.post("/api/actions/{name}", act),
        # Not by HEAD: programs that look at links before they are clicked use it.
        web.get("/api/do/{name}", act, allow_head=False),
        web.get("/api/openapi.json", openapi),
    ]


def perform(site: Site, name: str, values: dict[str, Any]) -> None:
    """Carry out an action.

    Raises: Refused: it was not done, and why.
    """
    try:
        site.room.perform(name, values)
    except Exception as error:
        raise refusal(error, f"{name[:60]} was not done.") from error


async def _body(request: web.Request, name: str) -> dict[str, Any]:
    """The parameters in the body: a JSON object, or nothing."""
    try:
        text = await request.text()
        if not text.strip():
            return {}
        values = json.loads(text)
    except (ValueError, LookupError, RecursionError):
        values = None
    if not isinstance(values, dict):
        why, fix = "Its body is no JSON object.", 'Send something like {"name": "paprika"}, or no body at all.'
        raise Refused(400, f"{name[:60]} was not done.", why, fix)
    return values
