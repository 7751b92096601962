"""Sessions with OBS: getting in, asking, and how they end."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from livefilter.errors import ObsError, ObsPassword, ObsRefused, ObsUnavailable
from livefilter.obs import client as client_module
from livefilter.obs.client import ObsClient
from livefilter.obs.protocol import Events, authentication
from tests.obs.fake_obs import FakeObs


def within(obs: FakeObs, work: Callable[[ObsClient], Awaitable[Any]], password: str = "", **options: Any) -> Any:
    """Do something in a session, and end it."""

    async def session() -> Any:
        client = await ObsClient.connect(obs.address, password, **options)
        try:
            return await work(client)
        finally:
            await client.close()
            await client.close()

    return asyncio.run(session())


def test_the_answer_to_the_documents_example_challenge() -> None:
    """The one that obs-websocket's own document derives step by step."""
    answer = authentication(
        "supersecretpassword",
        "lM1GncleQOaCu9lT1yeUZhFYnqhsLLP1G5lAGo3ixaI=",
        "+IxH4CnCiqpX1rM9scsNynZzbOe4KhDeYcTNS3PDaeY=",
    )
    assert answer == "1Ct943GAT+6YQUUX47Ia/ncufilbe6+oD6lY+5kaCu4="


@pytest.mark.parametrize("password", ["", "p@ss wörd"])
def test_a_request_is_answered(password: str) -> None:
    """With and without a password."""
    with FakeObs(password) as obs:
        version = within(obs, lambda client: client.request("GetVersion"), password)
        assert version["obsVersion"] == "31.0.0"


@pytest.mark.parametrize(
    ("given", "says"), [("", "LIVEFILTER_OBS_PASSWORD"), ("wrong", "does not accept the password")]
)
def test_a_password_that_is_missing_or_wrong_is_told_apart(given: str, says: str) -> None:
    """Each with what to do; neither tells the password."""
    with FakeObs("right") as obs, pytest.raises(ObsPassword, match=says) as caught:
        within(obs, lambda client: client.request("GetVersion"), given)
    assert "right" not in str(caught.value)


def test_who_is_no_obs_is_told_so() -> None:
    """Nobody at all, a server of pages, a server of something else, and one that says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        with pytest.raises(ObsUnavailable, match="no answer in time"):
            asyncio.run(ObsClient.connect(f"ws://127.0.0.1:{port}", timeout_s=0.2))
    with pytest.raises(ObsUnavailable, match="Enable WebSocket server"):
        asyncio.run(ObsClient.connect(f"ws://127.0.0.1:{port}"))
    with FakeObs(says_hello=False) as old, pytest.raises(ObsUnavailable, match="not OBS 28 or later"):
        within(old, lambda client: client.request("GetVersion"))
    with FakeObs() as obs, pytest.raises(ObsUnavailable, match="not OBS 28 or later"):
        asyncio.run(ObsClient.connect(f"{obs.address}/elsewhere"))


def test_a_refusal_names_the_request_and_obss_reason() -> None:
    """The session goes on."""

    async def work(client: ObsClient) -> None:
        with pytest.raises(ObsRefused, match="GetInputSettings: No source was found by the name of 'none'") as caught:
            await client.request("GetInputSettings", inputName="none")
        assert caught.value.code == 600
        assert await client.request("GetVersion")

    with FakeObs() as obs:
        within(obs, work)


def test_a_batch_ends_with_its_first_failure() -> None:
    """Answers come in order; what follows a failure is not done."""

    def offset(name: str, value: int) -> tuple[str, dict[str, Any]]:
        return "SetInputAudioSyncOffset", {"inputName": name, "inputAudioSyncOffset": value}

    async def work(client: ObsClient) -> None:
        answers = await client.batch([offset("Mic/Aux", 20), ("GetVersion", {})])
        assert answers[1]["obsVersion"] == "31.0.0"
        with pytest.raises(ObsRefused, match="GetInputSettings"):
            await client.batch([offset("Mic/Aux", 30), ("GetInputSettings", {"inputName": "x"}), offset("Mic/Aux", 40)])

    with FakeObs() as obs:
        within(obs, work)
        assert obs.offsets["Mic/Aux"] == 30


def test_events_come_as_they_happen_and_noise_is_left_out() -> None:
    """What is no message, or of no known kind, disturbs nothing."""
    with FakeObs() as obs:

        async def work(client: ObsClient) -> None:
            loop = asyncio.get_running_loop()
            for text in (
                "no message",
                "[]",
                "[" * 100_000,
                '{"op": 99, "d": {}}',
                '{"op": 7, "d": {"requestId": "x"}}',
            ):
                await loop.run_in_executor(None, obs.say, text)
            await loop.run_in_executor(None, obs.show, "Gaming")
            await client.request("GetVersion")

        seen: list[tuple[str, dict[str, Any]]] = []
        within(obs, work, on_event=lambda name, data: seen.append((name, data)), events=Events.SCENES)
        assert seen == [("CurrentProgramSceneChanged", {"sceneName": "Gaming"})]


@pytest.mark.parametrize(
    ("code", "kind", "says"),
    [
        (4009, ObsPassword, "does not accept the password"),
        (4010, ObsUnavailable, "Update livefilter"),
        (4011, ObsUnavailable, "Somebody ended livefilter's session"),
        (1001, ObsUnavailable, "went away"),
    ],
)
def test_the_end_of_a_session_says_why(code: int, kind: type[ObsError], says: str) -> None:
    """Whoever waits for an answer hears of it, too, and so does whoever asks later."""
    with FakeObs() as obs:
        obs.silent.add("GetVersion")

        async def work(client: ObsClient) -> None:
            asking = asyncio.create_task(client.request("GetVersion"))
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(None, obs.wait, lambda: bool(obs.requests("GetVersion")))
            await loop.run_in_executor(None, obs.end_sessions, code)
            with pytest.raises(kind, match=says):
                await client.wait_closed()
            with pytest.raises(kind, match=says):
                await asking
            with pytest.raises(kind, match=says):
                await client.request("GetVersion")

        within(obs, work)


def test_an_obs_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """As when a dialog is open in it."""
    monkeypatch.setattr(client_module, "REQUEST_TIMEOUT_S", 0.1)
    with FakeObs() as obs:
        obs.silent.add("GetVersion")
        with pytest.raises(ObsUnavailable, match="does not answer GetVersion"):
            within(obs, lambda client: client.request("GetVersion"))
