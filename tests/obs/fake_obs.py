"""A stand-in for OBS's WebSocket server: protocol 5 with scenes, inputs, offsets and outputs that a test sets."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
import threading
from collections.abc import Callable
from typing import Any

from aiohttp import WSMsgType, web

from livefilter.closeable import Closeable

SALT, CHALLENGE = "c2FsdA==", "Y2hhbGxlbmdl"
WAIT_S = 60.0


class FakeObs(Closeable):
    """Listens on a free port of this computer, or on `port`, until `close`.

    inputs: name -> (kind, settings). offsets: name -> ms. scenes: name -> names of its inputs. asked: the requests so
    far, with their data. version: of OBS. says_hello: False for what is no obs-websocket 5. silent: requests that get
    no answer.
    """

    def __init__(self, password: str = "", port: int = 0, *, says_hello: bool = True) -> None:
        self.inputs: dict[str, tuple[str, dict[str, Any]]] = {"Mic/Aux": ("pulse_input_capture", {})}
        self.offsets: dict[str, int] = {"Mic/Aux": 0}
        self.scenes: dict[str, list[str]] = {"Scene": [], "Gaming": []}
        self.kinds = ["v4l2_input", "ffmpeg_source", "pulse_input_capture"]
        self.current = "Scene"
        self.outputs = {"Stream": False, "Record": False}
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.silent: set[str] = set()
        self.sessions: list[web.WebSocketResponse] = []
        self._password, self._says_hello = password, says_hello
        self._changed = threading.Condition()
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, args=(port,), daemon=True)
        self._thread.start()
        assert self._ready.wait(WAIT_S)

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"ws://127.0.0.1:{self.port}"

    def wait(self, seen: Callable[[], bool]) -> None:
        """Wait until something is so; what was asked and what is set wakes it."""
        with self._changed:
            assert self._changed.wait_for(seen, WAIT_S), self.asked

    def requests(self, kind: str) -> list[dict[str, Any]]:
        """The data of each request of a kind so far."""
        return [data for name, data in self.asked if name == kind]

    def tell(self, name: str, **data: Any) -> None:
        """Send an event to every session."""
        message = json.dumps({"op": 5, "d": {"eventType": name, "eventIntent": 4, "eventData": data}})
        self._do(*(self._send(session, message) for session in self.sessions))

    def show(self, scene: str) -> None:
        """Change the scene, as somebody would in OBS."""
        self.current = scene
        self.tell("CurrentProgramSceneChanged", sceneName=scene)

    def end_sessions(self, code: int) -> None:
        """End every session with a close code."""
        self._do(*(session.close(code=code) for session in list(self.sessions)))

    def say(self, text: str) -> None:
        """Send any text to every session."""
        self._do(*(self._send(session, text) for session in self.sessions))

    def close(self) -> None:
        """End it. Can be called twice."""
        if self._thread.is_alive():
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(WAIT_S)

    def _do(self, *work: Any) -> None:
        async def together() -> None:
            await asyncio.gather(*work)

        asyncio.run_coroutine_threadsafe(together(), self._loop).result(WAIT_S)

    async def _send(self, session: web.WebSocketResponse, text: str) -> None:
        with contextlib.suppress(ConnectionError):
            await session.send_str(text)

    def _run(self, port: int) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve(port))
        self._loop.close()

    async def _serve(self, port: int) -> None:
        self._stop = asyncio.Event()
        app = web.Application()
        app.router.add_get("/", self._session)
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port, reuse_address=True)
        await site.start()
        self.port = int(runner.addresses[0][1])
        self._ready.set()
        await self._stop.wait()
        for session in list(self.sessions):
            await session.close(code=1001)
        await runner.cleanup()

    async def _session(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        hello: dict[str, Any] = {"obsWebSocketVersion": "5.1.0", "rpcVersion": 1}
        if self._password:
            hello["authentication"] = {"salt": SALT, "challenge": CHALLENGE}
        await socket.send_str(json.dumps({"op": 0, "d": hello} if self._says_hello else {"update-type": "Heartbeat"}))
        first = await socket.receive()
        if first.type != WSMsgType.TEXT:
            return socket
        said = json.loads(first.data)
        if said["op"] != 1:
            await socket.close(code=4007)
        elif self._password and said["d"].get("authentication") != self._proof():
            await socket.close(code=4009)
        else:
            await socket.send_str(json.dumps({"op": 2, "d": {"negotiatedRpcVersion": 1}}))
            self.sessions.append(socket)
            try:
                async for message in socket:
                    await self._take(socket, json.loads(message.data))
            finally:
                self.sessions.remove(socket)
        return socket

    def _proof(self) -> str:
        """As the protocol's document describes it."""
        secret = base64.b64encode(hashlib.sha256((self._password + SALT).encode()).digest()).decode()
        return base64.b64encode(hashlib.sha256((secret + CHALLENGE).encode()).digest()).decode()

    async def _take(self, socket: web.WebSocketResponse, message: dict[str, Any]) -> None:
        op, data = message["op"], message["d"]
        if op == 6:
            answer = self._answer(data["requestType"], data.get("requestData") or {})
            if data["requestType"] not in self.silent:
                await socket.send_str(json.dumps({"op": 7, "d": {"requestId": data["requestId"], **answer}}))
        elif op == 8:
            results = []
            for each in data["requests"]:
                results.append(self._answer(each["requestType"], each.get("requestData") or {}))
                if data.get("haltOnFailure") and not results[-1]["requestStatus"]["result"]:
                    break
            await socket.send_str(json.dumps({"op": 9, "d": {"requestId": data["requestId"], "results": results}}))

    def _answer(self, kind: str, data: dict[str, Any]) -> dict[str, Any]:
        handler = getattr(self, f"_{kind}", None)
        try:
            found = handler(**data) if handler is not None else None
            status: dict[str, Any] = {"result": handler is not None, "code": 100 if handler is not None else 204}
        except KeyError as error:
            found = None
            status = {"result": False, "code": 600, "comment": f"No source was found by the name of {error}."}
        with self._changed:
            self.asked.append((kind, data))
            self._changed.notify_all()
        return {"requestType": kind, "requestStatus": status, "responseData": found or {}}

    def _Sleep(self, sleepMillis: int) -> None:  # noqa: N802, N803 - obs-websocket's own names, here and below
        assert sleepMillis > 0

    def _GetVersion(self) -> dict[str, Any]:  # noqa: N802
        return {"obsVersion": "31.0.0", "obsWebSocketVersion": "5.5.4", "rpcVersion": 1}

    def _GetStreamStatus(self) -> dict[str, Any]:  # noqa: N802
        return {"outputActive": self.outputs["Stream"]}

    def _GetRecordStatus(self) -> dict[str, Any]:  # noqa: N802
        return {"outputActive": self.outputs["Record"]}

    def _GetSceneList(self) -> dict[str, Any]:  # noqa: N802
        return {"currentProgramSceneName": self.current, "scenes": [{"sceneName": name} for name in self.scenes]}

    def _GetCurrentProgramScene(self) -> dict[str, Any]:  # noqa: N802
        return {"currentProgramSceneName": self.current}

    def _GetVideoSettings(self) -> dict[str, Any]:  # noqa: N802
        return {"baseWidth": 1920, "baseHeight": 1080}

    def _GetSpecialInputs(self) -> dict[str, Any]:  # noqa: N802
        return {"desktop1": None, "mic1": "Mic/Aux" if "Mic/Aux" in self.inputs else None, "mic2": None}

    def _GetInputKindList(self, unversioned: bool = False) -> dict[str, Any]:  # noqa: N802
        return {"inputKinds": self.kinds}

    def _GetInputList(self) -> dict[str, Any]:  # noqa: N802
        return {
            "inputs": [
                {"inputName": name, "inputKind": kind, "unversionedInputKind": kind}
                for name, (kind, _) in self.inputs.items()
            ]
        }

    def _GetInputSettings(self, inputName: str) -> dict[str, Any]:  # noqa: N802, N803
        return {"inputSettings": self.inputs[inputName][1]}

    def _SetInputSettings(self, inputName: str, inputSettings: dict[str, Any], overlay: bool) -> None:  # noqa: N802, N803
        self.inputs[inputName][1].update(inputSettings)

    def _GetSceneItemList(self, sceneName: str) -> dict[str, Any]:  # noqa: N802, N803
        return {"sceneItems": [{"sourceName": name} for name in self.scenes[sceneName]]}

    def _CreateSceneItem(self, sceneName: str, sourceName: str) -> dict[str, Any]:  # noqa: N802, N803
        self.scenes[sceneName].append(sourceName)
        return {"sceneItemId": 7}

    def _CreateInput(self, sceneName: str, inputName: str, inputKind: str, inputSettings: Any) -> dict[str, Any]:  # noqa: N802, N803
        self.inputs[inputName] = (inputKind, inputSettings)
        return self._CreateSceneItem(sceneName, inputName)

    def _SetSceneItemTransform(self, sceneName: str, sceneItemId: int, sceneItemTransform: dict[str, Any]) -> None:  # noqa: N802, N803
        assert sceneItemId == 7

    def _GetInputAudioSyncOffset(self, inputName: str) -> dict[str, Any]:  # noqa: N802, N803
        return {"inputAudioSyncOffset": self.offsets[inputName]}

    def _SetInputAudioSyncOffset(self, inputName: str, inputAudioSyncOffset: int) -> None:  # noqa: N802, N803
        assert -950 <= inputAudioSyncOffset <= 20000
        assert inputName in self.offsets
        self.offsets[inputName] = inputAudioSyncOffset
