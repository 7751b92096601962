"""What the setup view and the input chooser show: inputs, addresses, the doctor's rows, keys."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Iterable
from typing import Any

from aiohttp import web

from livefilter.control.actions import BY_NAME
from livefilter.web.address import network_address
from livefilter.web.answers import Refused, json_answer
from livefilter.web.guard import from_elsewhere
from livefilter.web.openapi import schema
from livefilter.web.site import Site


def routes(site: Site) -> Iterable[web.RouteDef]:
    """/api/actions, /api/inputs, /api/doctor, /api/addresses and /api/qr.svg.

    Of site.features: "inputs" lists {name, target}, "doctor" lists rows; both may take seconds. "bindings" are the
    chords ("hotkeys") and "pads" of each action, where the settings are known; else the defaults are shown.
    """

    async def actions(request: web.Request) -> web.Response:
        bound = site.features.get("bindings", {})

        def of(kind: str, name: str, default: str) -> str:
            return ", ".join(bound[kind].get(name, [])) if kind in bound else default

        told = [
            {
                "name": name,
                "help": action.help,
                "key": action.key,
                "hotkey": of("hotkeys", name, action.chord),
                "pad": of("pads", name, action.pad),
                "parameters": [{"name": each.name, **schema(each)} for each in action.takes],
            }
            for name, action in BY_NAME.items()
        ]
        return json_answer({"actions": told})

    async def inputs(request: web.Request) -> web.Response:
        return json_answer({"inputs": await _slow("inputs")})

    async def doctor(request: web.Request) -> web.Response:
        return json_answer({"rows": site.told(await _slow("doctor"), elsewhere=from_elsewhere(request))})

    async def _slow(name: str) -> list[dict[str, Any]]:
        asked: Callable[[], list[dict[str, Any]]] | None = site.features.get(name)
        return await asyncio.get_running_loop().run_in_executor(None, asked) if asked is not None else []

    async def addresses(request: web.Request) -> web.Response:
        here = f"http://127.0.0.1:{site.port}/"
        return json_answer({"page": here, "obs": f"{here}?clean=1", "dock": f"{here}dock", "network": _network(site)})

    async def qr(request: web.Request) -> web.Response:
        address = _network(site)
        if address is None:
            fix = "Start it with --lan on a computer that is on a network."
            raise Refused(404, "There is no code.", "livefilter does not listen on the network.", fix)
        import segno

        drawn = io.BytesIO()
        segno.make(address, micro=False, error="m").save(drawn, kind="svg", scale=6, border=3, light="#fff")
        return web.Response(body=drawn.getvalue(), content_type="image/svg+xml")

    return [
        web.get("/api/actions", actions),
        web.get("/api/inputs", inputs),
        web.get("/api/doctor", doctor),
        web.get("/api/addresses", addresses),
        web.get("/api/qr.svg", qr),
    ]


def _network(site: Site) -> str | None:
    """The address for others on the network, with the token."""
    host = network_address() if site.lan else None
    return f"http://{host}:{site.port}/?token={site.token.current}" if host else None
