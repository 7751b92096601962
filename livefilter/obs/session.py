"""One session with OBS, from its start to its loss."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from livefilter.errors import ObsError, ObsRefused
from livefilter.obs.client import ObsClient
from livefilter.obs.delay import OffsetLaw, picture_delay_s
from livefilter.obs.memory import Memory
from livefilter.obs.microphone import Microphone, choose
from livefilter.obs.on_air import OnAir
from livefilter.obs.protocol import Events
from livefilter.obs.scenes import SceneRules
from livefilter.obs.settings import ObsSettings, Way
from livefilter.obs.sources import add, find

if TYPE_CHECKING:
    from livefilter.obs.link import ObsRun

_log = logging.getLogger(__name__)
# What a way adds between our sending and OBS's picture, until `livefilter obs calibrate` has measured it here.
# Measured, docs/obs.md; a browser's with Chromium, a virtual camera's in a guest.
DEFAULT_PATH_MS: dict[Way, float] = {"camera": 30.0, "browser": 30.0, "media": 30.0}
_TICK_S = 1.0
_WINDOW_S = 3.0
_LOOK_EVERY = 5


class ObsSession:
    """Connects, follows events and keeps the microphone in time. change: notes what is new for the status."""

    def __init__(
        self,
        settings: ObsSettings,
        run: ObsRun,
        memory: Memory,
        scenes: SceneRules,
        on_air: OnAir,
        change: Callable[..., None],
        clock: Callable[[], float],
    ) -> None:
        self._settings, self._run, self._memory, self._scenes = settings, run, memory, scenes
        self._on_air, self._change, self._clock = on_air, change, clock
        self._obs: ObsClient | None = None
        self._microphone: Microphone | None = None
        self._law = OffsetLaw()
        self._events: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue()
        self._look = True
        self._way: Way | None = None

    async def run(self, stopping: asyncio.Event) -> None:
        """Serve until `stopping`, then put back what was changed.

        Raises: ObsError: there is no session, or no longer.
        """
        obs = await ObsClient.connect(
            self._settings.address,
            self._settings.password.get_secret_value(),
            lambda name, data: self._events.put_nowait((name, data)),
            Events.SCENES | Events.INPUTS | Events.OUTPUTS,
        )
        self._obs = obs
        tasks: list[asyncio.Task[Any]] = []
        try:
            await self._begin(obs)
            tasks = [
                asyncio.create_task(work)
                for work in (obs.wait_closed(), self._follow_events(), self._keep_time(obs), stopping.wait())
            ]
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()  # the error, where one ended it
        finally:
            await _ended(tasks)
            if self._microphone is not None:
                with suppress(ObsError):
                    await self._microphone.restore()
            await obs.close()

    async def add_source(self) -> str:
        """Put our picture into the current scene. Returns: what was done. Raises: ObsError."""
        assert self._obs is not None
        done = await add(self._obs, self._run.offer())
        self._look = True
        return done

    async def _begin(self, obs: ObsClient) -> None:
        version = (await obs.request("GetVersion")).get("obsVersion", "")
        self._on_air.set("streaming", bool((await obs.request("GetStreamStatus")).get("outputActive")))
        self._on_air.set("recording", bool((await obs.request("GetRecordStatus")).get("outputActive")))
        scene = await self._check_scenes(obs)
        if self._settings.add_source and await find(obs, self._run.offer()) is None:
            self._run.notify(f"OBS: {await add(obs, self._run.offer())}")
        self._change(connected=True, trouble="", version=f"OBS {version}", scene=scene, on_air=self._on_air.now)
        self._run.notify(f"Connected to OBS {version}, scene {scene}")
        self._scenes.show(scene)

    async def _check_scenes(self, obs: ObsClient) -> str:
        found = await obs.request("GetSceneList")
        self._scenes.check(str(each["sceneName"]) for each in found["scenes"])
        return str(found["currentProgramSceneName"])

    async def _follow_events(self) -> None:
        while True:
            name, data = await self._events.get()
            if name == "CurrentProgramSceneChanged":
                self._change(scene=str(data["sceneName"]))
                self._scenes.show(str(data["sceneName"]))
            elif name in ("StreamStateChanged", "RecordStateChanged"):
                what = "streaming" if name == "StreamStateChanged" else "recording"
                self._on_air.follow(what, str(data.get("outputState", "")))
                self._change(on_air=self._on_air.now)
            elif name == "InputAudioSyncOffsetChanged" and self._microphone is not None:
                self._microphone.changed(data)
                self._change(offset_ms=self._microphone.set_ms, users_ms=self._microphone.users_ms)
            elif name == "SceneListChanged" and self._obs is not None:
                self._scenes.check(str(each["sceneName"]) for each in data.get("scenes", []))
            elif name in ("InputCreated", "InputRemoved", "InputNameChanged", "SceneItemCreated", "SceneItemRemoved"):
                self._look = True

    async def _keep_time(self, obs: ObsClient) -> None:
        ticks = 0
        while True:
            if self._look or ticks % _LOOK_EVERY == 0:
                self._look = False
                await self._find_both(obs)
            ticks += 1
            try:
                await self._shift()
            except ObsRefused as error:  # the input has gone; the next look says what there is instead
                _log.info("%s", error)
                self._microphone, self._look = None, True
            await asyncio.sleep(_TICK_S)

    async def _find_both(self, obs: ObsClient) -> None:
        """Find our picture and the microphone, where the user may have changed either."""
        wanted = self._settings.way
        found = await find(obs, self._run.offer(), None if wanted == "auto" else wanted)
        way: Way | None = found.way if found else None if wanted == "auto" else wanted
        if way != self._way:
            self._way = way
            self._law.forget()
        source = found.name if found else "unknown to us" if way else ""
        name, why_not = await choose(obs, self._settings.microphone)
        if self._microphone is not None and self._microphone.name != name:
            with suppress(ObsError):  # it may be gone
                await self._microphone.restore()
            self._microphone = None
        if name is not None and self._microphone is None:
            microphone = Microphone(obs, name, self._memory, self._settings.address, self._run.notify)
            await microphone.open()
            self._microphone = microphone
            self._law.forget()
        self._change(source=source, way=way or "", microphone=name or "", why_not=why_not)

    async def _shift(self) -> None:
        recent = self._run.metrics.since(self._clock() - _WINDOW_S)
        delay_s = picture_delay_s(recent)
        path_ms, measured = self.path_ms()
        delay_ms = None if delay_s is None else delay_s * 1000 + path_ms
        self._change(
            delay_ms=None if delay_ms is None else round(delay_ms), path_ms=round(path_ms), path_measured=measured
        )
        if self._microphone is None or self._way is None:
            return
        if delay_ms is not None:
            own_ms = self._law.follow(delay_ms, self._clock())
            if own_ms is not None:
                await self._microphone.shift(own_ms)
        self._change(offset_ms=self._microphone.set_ms, users_ms=self._microphone.users_ms)

    def path_ms(self) -> tuple[float, bool]:
        """What the way into OBS adds, in milliseconds, and whether that was measured here or said by the user."""
        if self._way is None:
            return 0.0, False
        if self._settings.path_ms != "auto":
            return float(self._settings.path_ms), True
        found = self._memory.path_ms(self._way)
        return (DEFAULT_PATH_MS[self._way], False) if found is None else (found, True)


async def _ended(tasks: list[asyncio.Task[Any]]) -> None:
    """End tasks. One whose `wait_for` is done at that moment takes no notice (Python before 3.12), so again."""
    while left := [task for task in tasks if not task.done()]:
        for task in left:
            task.cancel()
        await asyncio.wait(left, timeout=0.1)
    await asyncio.gather(*tasks, return_exceptions=True)
