"""livefilter beside a real OBS Studio: Debian's package on a display of its own, with a null sink for a microphone."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from livefilter.errors import ObsRefused
from livefilter.frame import Image
from livefilter.obs.client import ObsClient
from livefilter.obs.sources import Offer, add
from livefilter.output.base import SinkOptions
from livefilter.output.page import PageSink
from tests.fakes import until
from tests.obs.openings import Lamp
from tests.obs.real_obs import HEIGHT, SINK, WIDTH, RealObs, missing
from tests.obs.run_beside import RunBeside

pytestmark = [pytest.mark.obs, pytest.mark.timeout(600)]
DEMO = ("-i", "demo", "--width", "320", "--height", "180", "--process-size", "128", "--fps", "15", "--threads", "1")


@pytest.fixture
def obs(xvfb: str, tmp_path: Path) -> Iterator[RealObs]:
    """A fresh one, whose only microphone is "Mic" with an offset of 20 ms."""
    if missing():
        pytest.skip(
            f"no {', '.join(missing())} here: on Debian, apt install obs-studio pulseaudio pulseaudio-utils xvfb"
        )
    with RealObs(tmp_path / "obs", xvfb) as found:
        microphone = {"device_id": f"{SINK}.monitor"}
        ask(
            found,
            "CreateInput",
            sceneName="Scene",
            inputName="Mic",
            inputKind="pulse_input_capture",
            inputSettings=microphone,
        )
        ask(found, "SetInputAudioSyncOffset", inputName="Mic", inputAudioSyncOffset=20)
        for scene in ("Gaming", "Be right back"):
            ask(found, "CreateScene", sceneName=scene)
        yield found


def ask(obs: RealObs, kind: str, **data: Any) -> dict[str, Any]:
    """One request in a session of its own."""

    async def work(client: ObsClient) -> dict[str, Any]:
        return await client.request(kind, **data)

    return asyncio.run(within(obs, work))


async def within(obs: RealObs, work: Callable[[ObsClient], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
    """Do something in a session, once OBS is ready for requests."""
    for _ in range(200):
        client = await ObsClient.connect(obs.address, obs.password)
        try:
            await client.request("GetSceneList")
            return await work(client)
        except Exception as error:  # its socket listens before it is ready
            if "207" not in str(error) and "not ready" not in str(error).lower():
                raise
            await asyncio.sleep(0.2)
        finally:
            await client.close()
    raise AssertionError("OBS does not become ready")


def offset(obs: RealObs) -> int:
    """The microphone's sound offset."""
    return int(ask(obs, "GetInputAudioSyncOffset", inputName="Mic")["inputAudioSyncOffset"])


def shot(obs: RealObs, source: str) -> Image:
    """What OBS shows of a source or scene."""
    answer = ask(obs, "GetSourceScreenshot", sourceName=source, imageFormat="png", imageWidth=WIDTH, imageHeight=HEIGHT)
    data = np.frombuffer(base64.b64decode(answer["imageData"].split(",", 1)[1]), np.uint8)
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def test_one_click_puts_the_picture_into_the_scene_and_the_sound_in_time(obs: RealObs, tmp_path: Path) -> None:
    """The canvas is full of our picture, the offset is the user's 20 ms and our delay, and 20 ms again at the end."""
    with RunBeside(tmp_path, obs, *DEMO) as run:
        run.until(lambda state: state["obs"] and state["obs"]["connected"], "connection")
        assert shot(obs, "Scene").max() == 0
        run.do("add_to_obs")
        state = run.until(lambda state: (state["obs"]["offset_ms"] or 0) > 60, "offset")
        assert state["obs"]["users_ms"] == 20
        assert offset(obs) == pytest.approx(state["obs"]["offset_ms"], abs=40)

        def shown(_state: object) -> bool:
            picture = shot(obs, "Scene")
            return bool(picture[:, 5].mean() > 5 and picture[:, -5].mean() > 5 and picture.std() > 10)

        run.until(shown, "picture over the whole of the canvas")
        run.do("add_to_obs")
        run.until(lambda state: "OBS: livefilter is in scene Scene" in str(state["notices"]), "word that it is there")
    assert offset(obs) == 20


def test_an_offset_outlives_neither_a_crash_of_ours_nor_of_obs(obs: RealObs, tmp_path: Path) -> None:
    """The run after the crash knows the user's 20 ms, and OBS that comes back gets its offset again."""
    with RunBeside(tmp_path, obs, *DEMO, settings="add_source = true\n") as run:
        run.until(lambda state: ((state["obs"] or {}).get("offset_ms") or 0) > 60, "offset")
        run.until(lambda _state: offset(obs) > 60, "offset in OBS")
        run.kill()
    assert offset(obs) > 60
    with RunBeside(tmp_path, obs, *DEMO, settings="add_source = true\n") as run:
        run.until(lambda state: ((state["obs"] or {}).get("offset_ms") or 0) > 60, "offset again")
        assert run.state()["obs"]["users_ms"] == 20
        obs.stop()
        run.until(lambda state: "OBS" in state["obs"]["trouble"], "word that OBS has gone")
        obs.start()
        state = run.until(lambda state: (state["obs"]["offset_ms"] or 0) > 60, "offset after OBS's restart")
        assert state["obs"]["users_ms"] == 20
    assert offset(obs) == 20


def test_scenes_of_obs_choose_the_look(obs: RealObs, tmp_path: Path) -> None:
    """Each by its rule; nothing raw comes while OBS records."""
    rules = 'never_raw = true\n[obs.scenes]\nGaming = ["style portrait", "gaming"]\n"Be right back" = "freeze"\n'
    with RunBeside(tmp_path, obs, *DEMO, settings=rules) as run:
        run.until(lambda state: state["obs"] and state["obs"]["connected"], "connection")
        ask(obs, "SetCurrentProgramScene", sceneName="Gaming")
        run.until(lambda state: state["shown_style"] == "portrait" and state["gaming"], "portrait and gaming mode")
        ask(obs, "SetCurrentProgramScene", sceneName="Be right back")
        run.until(lambda state: state["frozen"] and not state["gaming"] and state["style"] == "hayao", "frozen picture")
        run.do("bypass", on=True)
        assert run.state()["bypass"]
        ask(obs, "StartRecord")
        run.until(lambda state: not state["bypass"] and state["obs"]["on_air"] == ["recording"], "end of bypass")
        run.do("bypass", on=True)
        assert not run.state()["bypass"]
        ask(obs, "StopRecord")
        run.until(lambda state: state["obs"]["on_air"] == [], "end of the recording")
        ask(obs, "SetCurrentProgramScene", sceneName="Scene")
        run.until(lambda state: not state["frozen"], "moving picture")


def test_a_scene_that_comes_back_shows_nothing_of_before(obs: RealObs) -> None:
    """While OBS shows another scene it does not watch, so that we may rest; then its first picture is a new one."""
    ask(obs, "SetCurrentProgramScene", sceneName="Scene")
    with PageSink("0", SinkOptions(WIDTH, HEIGHT, 30)) as page, Lamp(page, WIDTH, HEIGHT) as lamp:

        async def add_it(client: ObsClient) -> dict[str, Any]:
            return {"done": await add(client, Offer(page=page.url))}

        def seen() -> float:
            """How bright it is; 0 while there is no picture."""
            try:
                return float(shot(obs, "livefilter").mean())
            except ObsRefused:
                return 0.0

        asyncio.run(within(obs, add_it))
        until(lambda: 10 < seen() < 60, "the dark picture")
        ask(obs, "SetCurrentProgramScene", sceneName="Gaming")
        until(lambda: not page.watched(), "that OBS no longer watches")

        async def wait(client: ObsClient) -> dict[str, Any]:
            await client.batch([("Sleep", {"sleepMillis": 3500})])  # OBS would open it again after 2 s, unless told
            return {}

        asyncio.run(within(obs, wait))
        assert not page.watched()
        lamp.show(bright=True)
        ask(obs, "SetCurrentProgramScene", sceneName="Scene")
        shots: list[tuple[int, float]] = []  # the number of OBS's frame, and how bright it is

        def bright() -> bool:
            shots.append((int(ask(obs, "GetStats")["renderTotalFrames"]), seen()))
            return shots[-1][1] > 200

        until(bright, "the bright picture")
        # OBS may draw what it drew last for one frame of its own, before the first new picture is in its texture.
        dark = [frame for frame, light in shots if 10 < light < 60]
        assert not dark or max(dark) - min(dark) <= 2, shots
