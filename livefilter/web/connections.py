"""Bounds on connections: how many there are, and how long one may say nothing."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from typing import Any

from aiohttp import web

from livefilter.web.answers import Handler

MAX_CONNECTIONS = 128
# A request's headers must have come by then; a connection without a request is ended then as well.
SILENT_S = 15.0
_LOOK_EVERY_S = 1.0


class Connections:
    """Makes connections of a server, refuses those beyond the bound and ends those that stay silent."""

    def __init__(self, server: web.Server, loop: asyncio.AbstractEventLoop, silent_s: float = SILENT_S) -> None:
        self._server, self._loop, self._silent_s = server, loop, silent_s
        # What a client sends may not fill the log.
        self._logger = logging.getLogger("livefilter.web.requests")
        self._logger.setLevel(logging.CRITICAL)
        self._most = min(MAX_CONNECTIONS, _file_limit() // 4)
        self.open: set[Connection] = set()

    def __call__(self) -> Connection:
        return Connection(self, self._server, loop=self._loop, access_log=None, logger=self._logger)

    @property
    def full(self) -> bool:
        """Whether one more would be too many."""
        return len(self.open) >= self._most

    async def watch(self) -> None:
        """End what has been silent for too long, until cancelled."""
        while True:
            await asyncio.sleep(min(_LOOK_EVERY_S, self._silent_s / 2))
            for connection in tuple(self.open):
                if not connection.busy and time.monotonic() - connection.since > self._silent_s:
                    connection.force_close()
                    if connection.transport is not None:
                        connection.transport.abort()


class Connection(web.RequestHandler):
    """One connection; busy while a request of it is being answered, whose head has come by then."""

    def __init__(self, connections: Connections, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._connections = connections
        self.busy = 0
        self.since = time.monotonic()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if self._connections.full:
            transport.abort()  # type: ignore[attr-defined]
        else:
            self._connections.open.add(self)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._connections.open.discard(self)
        super().connection_lost(exc)


@web.middleware
async def mark_busy(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Keep a connection from being ended as silent while it is being answered."""
    connection = request.protocol
    if not isinstance(connection, Connection):
        return await handler(request)
    connection.busy += 1
    try:
        return await handler(request)
    finally:
        connection.busy -= 1
        connection.since = time.monotonic()


def _file_limit() -> int:
    """How many files this process may have open."""
    if sys.platform == "win32":
        return 4096
    import resource

    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return 4096 if soft == resource.RLIM_INFINITY else max(soft, 64)
