"""The meters as Prometheus reads them: /metrics, text format 0.0.4."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from aiohttp import web

from livefilter.web.site import Site

_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# What only ever grows while a run lasts.
_COUNTERS = ("captured", "styled", "sent", "dropped", "restarts")


def routes(site: Site) -> Iterable[web.RouteDef]:
    """/metrics."""

    async def metrics(request: web.Request) -> web.Response:
        return web.Response(body=exposition(site.room.meters()).encode(), headers={"Content-Type": _TYPE})

    return [web.get("/metrics", metrics)]


def exposition(meters: Mapping[str, Any]) -> str:
    """Every number of the meters as a line; those under `streams` have the stream's name as a label.

    Milliseconds become seconds, as Prometheus has it.
    """
    found: dict[str, list[tuple[str, float]]] = {}
    for name, value in _numbers(meters):
        found.setdefault(name, []).append(("", value))
    streams = meters.get("streams")
    for stream, told in streams.items() if isinstance(streams, Mapping) else ():
        label = '{stream="' + re.sub(r'(["\\])', r"\\\1", str(stream)).replace("\n", " ") + '"}'
        for name, value in _numbers(told):
            found.setdefault(name, []).append((label, value))
    lines = []
    for name, samples in sorted(found.items()):
        counts = name.removeprefix("livefilter_").removesuffix("_total") in _COUNTERS
        lines.append(f"# TYPE {name} {'counter' if counts else 'gauge'}")
        lines += [
            f"{name}{label} {value:g}" if not counts else f"{name}{label} {int(value)}" for label, value in samples
        ]
    return "\n".join(lines) + "\n"


def _numbers(told: Mapping[str, Any], path: str = "livefilter") -> Iterable[tuple[str, float]]:
    for key, value in told.items():
        name = f"{path}_{re.sub(r'[^a-zA-Z0-9_]', '_', str(key))}"
        if isinstance(value, Mapping):
            if key != "streams":
                yield from _numbers(value, name)
        elif isinstance(value, bool | int | float):
            if str(key) in _COUNTERS and path == "livefilter":
                name += "_total"
            if name.endswith("_ms"):
                name, value = f"{name[:-3]}_seconds", value / 1000
            yield name, float(value)
