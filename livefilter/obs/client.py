"""A session with OBS Studio over obs-websocket, protocol 5."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeAlias

import aiohttp

from livefilter.errors import ObsError, ObsPassword, ObsRefused, ObsUnavailable
from livefilter.obs.protocol import RPC_VERSION, Events, Op, authentication, closed_error

_log = logging.getLogger(__name__)
CONNECT_TIMEOUT_S = 5.0
REQUEST_TIMEOUT_S = 10.0
_CLOSE_TIMEOUT_S = 2.0
_HEARTBEAT_S = 20.0
# A screenshot of a large source comes as one message.
_LARGEST = 64 * 1024 * 1024

Answer: TypeAlias = dict[str, Any]
# Name and data of something that happened in OBS; called on the session's loop, must not wait.
OnEvent: TypeAlias = Callable[[str, Answer], None]


class ObsClient:
    """An identified session; made by `connect`, used on one event loop, ended by `close`.

    version: of obs-websocket, such as "5.1.0".
    """

    def __init__(
        self, address: str, http: aiohttp.ClientSession, socket: aiohttp.ClientWebSocketResponse, on_event: OnEvent
    ) -> None:
        self.version = ""
        self._address, self._http, self._socket, self._on_event = address, http, socket, on_event
        self._waiting: dict[str, asyncio.Future[Answer]] = {}
        self._count = 0
        self._reader: asyncio.Task[None] | None = None
        self._error: ObsError | None = None

    @classmethod
    async def connect(
        cls,
        address: str,
        password: str = "",
        on_event: OnEvent = lambda name, data: None,
        events: Events = Events.NONE,
        timeout_s: float | None = None,
    ) -> ObsClient:
        """Open a session.

        address: such as "ws://127.0.0.1:4455". password: empty where OBS asks for none.
        timeout_s: in which it has to be open; None for CONNECT_TIMEOUT_S.
        Raises: ObsUnavailable: nobody answers, or no OBS 28 or later. ObsPassword: it wants one, or another one.
        """
        http = aiohttp.ClientSession(trust_env=False)  # never through a proxy
        try:
            return await asyncio.wait_for(
                cls._opened(address, http, password, on_event, events), timeout_s or CONNECT_TIMEOUT_S
            )
        except BaseException as error:
            await http.close()
            if isinstance(error, (aiohttp.ClientError, OSError, asyncio.TimeoutError)):
                raise _unreachable(address, error) from error
            raise

    async def request(self, kind: str, **data: Any) -> Answer:
        """Have OBS do or tell one thing. Returns: what it tells.

        Raises: ObsRefused: OBS says why. ObsUnavailable: it went away, or does not answer in time.
        """
        answer = await self._ask(Op.REQUEST, {"requestType": kind, "requestData": data}, kind)
        return _checked(kind, answer)

    async def batch(self, requests: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Answer]:
        """Have OBS do several things one right after the other; the first that fails ends it.

        requests: kind and data of each; ("Sleep", {"sleepMillis": 100}) waits in between.
        Raises: ObsRefused, ObsUnavailable.
        """
        asked = [{"requestType": kind, "requestData": dict(data)} for kind, data in requests]
        answer = await self._ask(Op.BATCH, {"haltOnFailure": True, "requests": asked}, "a batch")
        return [_checked(str(each.get("requestType", "")), each) for each in answer.get("results", [])]

    async def wait_closed(self) -> None:
        """Wait for the end of the session. Raises: ObsError: why OBS ended it."""
        if self._reader is not None:
            await asyncio.wait([self._reader])
        raise self._error or closed_error(self._socket.close_code, self._address)

    async def close(self) -> None:
        """End the session. Can be called twice."""
        with suppress(Exception):
            await asyncio.wait_for(self._socket.close(), _CLOSE_TIMEOUT_S)
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
        await self._http.close()

    @classmethod
    async def _opened(
        cls, address: str, http: aiohttp.ClientSession, password: str, on_event: OnEvent, events: Events
    ) -> ObsClient:
        socket = await http.ws_connect(address, heartbeat=_HEARTBEAT_S, max_msg_size=_LARGEST)
        client = cls(address, http, socket, on_event)
        await client._identify(password, events)
        client._reader = asyncio.create_task(client._read(), name="obs-reader")
        return client

    async def _identify(self, password: str, events: Events) -> None:
        hello = await self._expect(Op.HELLO)
        self.version = str(hello.get("obsWebSocketVersion", ""))
        said: Answer = {"rpcVersion": RPC_VERSION, "eventSubscriptions": int(events)}
        asked = hello.get("authentication")
        if asked:
            if not password:
                raise ObsPassword(
                    f'OBS at {self._address} wants a password. Write it as password = "..." below [obs] in the '
                    "settings file, or set LIVEFILTER_OBS_PASSWORD; OBS shows it at Tools, WebSocket Server Settings."
                )
            said["authentication"] = authentication(password, str(asked["salt"]), str(asked["challenge"]))
        await self._send(Op.IDENTIFY, said)
        await self._expect(Op.IDENTIFIED)

    async def _expect(self, op: Op) -> Answer:
        message = await self._socket.receive()
        if message.type != aiohttp.WSMsgType.TEXT:
            raise closed_error(self._socket.close_code, self._address)
        found = _parsed(message.data)
        if found.get("op") != op:
            raise ObsUnavailable(f"What answers at {self._address} is not OBS 28 or later. Correct the address.")
        return dict(found.get("d") or {})

    async def _ask(self, op: Op, data: Answer, what: str) -> Answer:
        if self._error is not None:
            raise self._error
        self._count += 1
        name = str(self._count)
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[name] = future
        try:
            await self._send(op, {"requestId": name, **data})
            return await asyncio.wait_for(future, REQUEST_TIMEOUT_S)
        except asyncio.TimeoutError:
            raise ObsUnavailable(
                f"OBS at {self._address} does not answer {what} within {REQUEST_TIMEOUT_S:g} s. "
                "A dialog may be open in OBS: close it."
            ) from None
        finally:
            self._waiting.pop(name, None)

    async def _send(self, op: Op, data: Answer) -> None:
        try:
            await self._socket.send_str(json.dumps({"op": int(op), "d": data}))
        except (aiohttp.ClientError, ConnectionError, RuntimeError) as error:
            raise closed_error(self._socket.close_code, self._address) from error

    async def _read(self) -> None:
        """Hand on answers and events until the session ends."""
        try:
            async for message in self._socket:
                if message.type == aiohttp.WSMsgType.TEXT:
                    self._take(_parsed(message.data))
        finally:
            self._error = closed_error(self._socket.close_code, self._address)
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(self._error)

    def _take(self, message: Answer) -> None:
        data = dict(message.get("d") or {})
        if message.get("op") == Op.EVENT:
            self._on_event(str(data.get("eventType", "")), dict(data.get("eventData") or {}))
            return
        future = self._waiting.get(str(data.get("requestId", "")))
        if future is not None and not future.done():
            future.set_result(data)


def _parsed(text: str) -> Answer:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        _log.debug("OBS sent what is no message")
        return {}
    return found


def _checked(kind: str, answer: Answer) -> Answer:
    status = answer.get("requestStatus") or {}
    if not status.get("result"):
        code = int(status.get("code", 0))
        why = str(status.get("comment", "")).rstrip(".") or f"code {code}"
        raise ObsRefused(f"OBS refused {kind}: {why}.", code)
    return dict(answer.get("responseData") or {})


def _unreachable(address: str, error: BaseException) -> ObsUnavailable:
    if isinstance(error, aiohttp.WSServerHandshakeError):
        return ObsUnavailable(f"What answers at {address} is not OBS 28 or later. Correct the address.")
    why = "no answer in time" if isinstance(error, asyncio.TimeoutError) else "nobody listens there"
    return ObsUnavailable(
        f"OBS cannot be reached at {address}: {why}. Start OBS, and tick Tools, WebSocket Server Settings, "
        "Enable WebSocket server."
    )
