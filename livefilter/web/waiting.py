"""Waiting for an event, but not for ever."""

from __future__ import annotations

import asyncio


async def comes(event: asyncio.Event, seconds: float) -> bool:
    """Wait until `event` is set, at most `seconds`; whether it was.

    `asyncio.wait_for` would do, but before Python 3.12 it swallows a cancellation that comes at the same moment as the
    event, and whoever was to end then waits on for ever.
    """
    waiter = asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait({waiter}, timeout=seconds)
    finally:
        waiter.cancel()
    return event.is_set()
