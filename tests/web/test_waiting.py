"""Waiting for an event, but not for ever."""

from __future__ import annotations

import asyncio

import pytest

from livefilter.web.waiting import comes


def test_it_says_whether_the_event_came() -> None:
    """True once it is set, False when the time is over."""

    async def work() -> tuple[bool, bool, bool]:
        event = asyncio.Event()
        never = await comes(event, 0.01)
        asyncio.get_running_loop().call_soon(event.set)
        return never, await comes(event, 60.0), await comes(event, 0.0)

    assert asyncio.run(work()) == (False, True, True)


@pytest.mark.parametrize("turns", range(6))
def test_nobody_who_is_to_end_waits_on(turns: int) -> None:
    """A cancellation that comes this many turns of the loop after the event ends whoever waits, whatever came first."""

    async def work() -> bool:
        event = asyncio.Event()

        async def for_ever() -> None:
            while True:
                await comes(event, 60.0)
                event.clear()

        task = asyncio.create_task(for_ever())
        await asyncio.sleep(0.01)
        event.set()
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task}, timeout=0.5)
        ended = task.cancelled()
        task.cancel()
        return ended

    assert asyncio.run(work())
