"""How fast two open pages see each other's changes, and what open pages cost a live run."""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import numpy as np

from livefilter.bench.load_run import closing_live
from livefilter.config import Config
from livefilter.errors import LivefilterError
from livefilter.live.compose import Live
from livefilter.styles.catalogue import Catalogue

# Somebody who drags a slider changes it about so often.
_CHANGE_EVERY_S = 0.05
# As the page asks for them: all styles, then a pause.
_THUMBNAILS_EVERY_S = 4.0
_AT_ONCE = 20
_ANSWER_S = 10.0


@dataclass
class PageFigures:
    """What was measured; *_ratio: the rate of styled frames meanwhile, as a share of that while nothing was asked.

    seen_ms: from one page's wish to the other's news of it, one for each change. quiet_fps: styled frames a second.
    """

    seen_ms: list[float] = field(default_factory=list)
    actions: int = 0
    lost_actions: int = 0
    thumbnails: int = 0
    rates: dict[str, list[float]] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """The figures for JSON, every key with its unit."""
        quiet = float(np.mean(self.rates["quiet"]))
        ratios = {
            f"{name}_ratio": round(float(np.mean(rates)) / quiet, 3) if quiet else None
            for name, rates in self.rates.items()
            if name != "quiet"
        }
        return {
            "changes_count": len(self.seen_ms),
            "seen_p50_ms": round(float(np.percentile(self.seen_ms, 50)), 2),
            "seen_p95_ms": round(float(np.percentile(self.seen_ms, 95)), 2),
            "seen_max_ms": round(max(self.seen_ms), 2),
            "actions_count": self.actions,
            "lost_actions_count": self.lost_actions,
            "thumbnails_count": self.thumbnails,
            "quiet_fps": round(quiet, 2),
            **ratios,
        }


def measure_pages(config: Config, seconds: float, rounds: int, stop: threading.Event) -> PageFigures | None:
    """Run live with a page and two visitors, turn by turn: quiet, changes, a flood of actions, thumbnails.

    seconds: of each turn. The visitors run in this very process, so that what they cost counts against the run.
    Returns: None where `stop` was set before the end.
    Raises: LivefilterError: the run failed, or a page was not answered.
    """
    with closing_live(config) as live:
        if live.page_url is None:
            raise LivefilterError("The run has no page to measure.")
        try:
            return asyncio.run(_turns(live, live.page_url, seconds, rounds, stop))
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as error:
            raise LivefilterError(f"The page at {live.page_url} did not answer: {str(error) or 'too slow'}.") from error


class _Visitor:
    """One open page: hears everything, and knows when a value is told."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._expected: tuple[float, asyncio.Future[float]] | None = None
        self.done = 0

    async def hear(self) -> None:
        """Listen until the page goes."""
        async for message in self._socket:
            told = json.loads(message.data)
            self.done += told["type"] == "done"
            if told["type"] == "state" and self._expected and told["state"]["split"] == self._expected[0]:
                self._expected[1].set_result(time.perf_counter())
                self._expected = None

    def expect(self, split: float) -> asyncio.Future[float]:
        """The moment at which a place of the split line is told."""
        found: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._expected = split, found
        return found

    async def wish(self, split: float) -> None:
        """Move the split line."""
        await self._socket.send_json({"type": "action", "name": "split", "parameters": {"at": split}})


async def _turns(live: Live, address: str, seconds: float, rounds: int, stop: threading.Event) -> PageFigures | None:
    figures = PageFigures()
    places = itertools.cycle(number / 1000 for number in range(100, 900))
    async with aiohttp.ClientSession() as session:
        events = f"{address.replace('http', 'ws', 1)}api/events"
        async with session.ws_connect(events) as first, session.ws_connect(events) as second:
            pages = _Visitor(first), _Visitor(second)
            ears = [asyncio.create_task(page.hear()) for page in pages]

            async def quiet(ends_at: float) -> None:
                await asyncio.sleep(max(0.0, ends_at - time.perf_counter()))

            async def changes(ends_at: float) -> None:
                for one, other in itertools.cycle((pages, pages[::-1])):
                    if time.perf_counter() >= ends_at:
                        return
                    place = next(places)
                    seen = other.expect(place)
                    wished_at = time.perf_counter()
                    await one.wish(place)
                    figures.seen_ms.append(1000 * (await asyncio.wait_for(seen, _ANSWER_S) - wished_at))
                    await asyncio.sleep(_CHANGE_EVERY_S)

            async def flood(ends_at: float) -> None:
                before, sent = pages[0].done, 0
                while time.perf_counter() < ends_at:
                    if sent - (pages[0].done - before) < _AT_ONCE:
                        await pages[0].wish(next(places))
                        sent += 1
                    else:
                        await asyncio.sleep(0.001)
                patience = time.perf_counter() + _ANSWER_S
                while pages[0].done - before < sent and time.perf_counter() < patience:
                    await asyncio.sleep(0.001)
                figures.actions += sent
                figures.lost_actions += sent - (pages[0].done - before)

            async def thumbnails(ends_at: float) -> None:
                while time.perf_counter() < ends_at:
                    for style in Catalogue().styles:
                        async with session.get(f"{address}api/styles/{style.name}/live.jpg") as answer:
                            figures.thumbnails += answer.status == 200
                    await asyncio.sleep(max(0.0, min(_THUMBNAILS_EVERY_S, ends_at - time.perf_counter())))

            await thumbnails(time.perf_counter())  # opens their engines, once
            turns: tuple[tuple[str, Callable[[float], Awaitable[None]]], ...] = (
                ("quiet", quiet), ("changes", changes), ("flood", flood), ("thumbnails", thumbnails),
            )  # fmt: skip
            for _ in range(rounds):
                for name, turn in turns:
                    if stop.is_set():
                        return None
                    figures.rates.setdefault(name, []).append(await _rate(live, turn, seconds))
            for ear in ears:
                ear.cancel()
                with suppress(asyncio.CancelledError):
                    await ear
    return figures


async def _rate(live: Live, turn: Callable[[float], Awaitable[None]], seconds: float) -> float:
    """Styled frames a second while a turn lasts."""
    metrics = live.pipeline.metrics
    before, began_at = metrics.snapshot().styled, time.perf_counter()
    await turn(began_at + seconds)
    return (metrics.snapshot().styled - before) / (time.perf_counter() - began_at)
