"""A run's connection to OBS, against the protocol's stand-in: what it sets, puts back, survives and tells."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from livefilter.control.controller import Controller
from livefilter.control.settings import LiveSettings, SharedSettings
from livefilter.errors import ObsUnavailable
from livefilter.metrics import Metrics
from livefilter.obs import session as session_module
from livefilter.obs.link import ObsLink, ObsRun
from livefilter.obs.memory import Memory
from livefilter.obs.scenes import parse_rules
from livefilter.obs.settings import ObsSettings
from livefilter.obs.sources import Offer
from tests.obs.fake_obs import WAIT_S, FakeObs

OFFER = Offer("", "http://127.0.0.1:8420/")


class SteadyMetrics(Metrics):
    """Frames that are sent 30 times a second, 100 ms old, up to this moment."""

    def since(self, at_s: float) -> Any:
        from livefilter.metrics import Recent

        sent = [at_s + number / 30 for number in range(90)]
        return Recent([], [], sent, sent, {"age": [100.0] * 90})


class Desk:
    """A run that OBS is connected to. told: every notice."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.settings, self.told, self.folder = SharedSettings(LiveSettings("hayao")), [""], folder
        self.controller = Controller(self.settings, ("hayao", "portrait"))
        self._changed = threading.Condition()
        self.settings.listen(self._wake)
        self.wish = ObsSettings(on=True, path_ms=33.0, **settings)

    def link(self) -> ObsLink:
        """Connect."""
        rules = parse_rules(self.wish.scenes, {})[0]
        run = ObsRun(SteadyMetrics(), self.settings, self.controller.perform, self.notify, lambda: OFFER, rules)
        return ObsLink(self.wish, run, Memory(self.folder / "obs.json"), back_off_s=(0.05,))

    def notify(self, text: str) -> None:
        """Keep it, and show it as a run does."""
        self.told.append(text)
        self.settings.change(notice=text)

    def wait(self, seen: Callable[[], bool]) -> None:
        """Wait until something is so; changes of the settings wake it."""
        with self._changed:
            assert self._changed.wait_for(seen, WAIT_S), self.told

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tick of the connection takes a second else."""
    monkeypatch.setattr(session_module, "_TICK_S", 0.01)


def with_source(obs: FakeObs) -> FakeObs:
    """An OBS in which our picture is."""
    obs.inputs["me"] = ("browser_source", {"url": "http://127.0.0.1:8420/?clean=1"})
    return obs


def test_the_microphone_is_set_to_our_delay_and_the_users_own_and_put_back(tmp_path: Path) -> None:
    """Twice, since OBS takes no notice of the first change; 100 ms, half a frame, 33 ms of the way, the user's 40."""
    with with_source(FakeObs("secret")) as obs:
        obs.offsets["Mic/Aux"] = 40
        desk = Desk(tmp_path, address=obs.address, password=SecretStr("secret"))
        with desk.link() as link:
            obs.wait(lambda: obs.offsets["Mic/Aux"] == 190)
            values = [each["inputAudioSyncOffset"] for each in obs.requests("SetInputAudioSyncOffset")]
            assert values == [189, 190]
            assert obs.requests("Sleep")
            assert Memory(tmp_path / "obs.json").offset(obs.address, "Mic/Aux") is not None
            assert link.status.version == "OBS 31.0.0"
        assert obs.offsets["Mic/Aux"] == 40
        assert Memory(tmp_path / "obs.json").offset(obs.address, "Mic/Aux") is None
        link.close()


def test_an_offset_that_a_crash_left_is_the_users_again(tmp_path: Path) -> None:
    """The next run knows whose it is; one that the user has set since is the user's."""
    for left, expected in ((190, 40), (70, 70)):
        memory = Memory(tmp_path / "obs.json")
        with with_source(FakeObs()) as obs:
            memory.keep_offset(obs.address, "Mic/Aux", 40, 190, 189)
            obs.offsets["Mic/Aux"] = left
            with Desk(tmp_path, address=obs.address).link():
                obs.wait(lambda obs=obs: len(obs.requests("SetInputAudioSyncOffset")) == 2)  # type: ignore[misc]
                assert obs.offsets["Mic/Aux"] == expected + 150
            assert obs.offsets["Mic/Aux"] == expected


def test_what_the_user_sets_meanwhile_is_added_and_kept(tmp_path: Path) -> None:
    """Moving it in OBS moves the user's part; our own changes are not taken for the user's."""
    with with_source(FakeObs()) as obs:
        desk = Desk(tmp_path, address=obs.address)
        with desk.link():
            obs.wait(lambda: obs.offsets["Mic/Aux"] == 150)
            obs.tell("InputAudioSyncOffsetChanged", inputName="Mic/Aux", inputAudioSyncOffset=150)
            obs.offsets["Mic/Aux"] = 180
            obs.tell("InputAudioSyncOffsetChanged", inputName="Mic/Aux", inputAudioSyncOffset=180)
            desk.wait(lambda: desk.told[-1] == "Mic/Aux: your own sound offset is 30 ms now")
        assert obs.offsets["Mic/Aux"] == 30


@pytest.mark.parametrize(
    ("inputs", "microphone", "why"),
    [
        (
            {"A": "pulse_input_capture", "B": "wasapi_input_capture"},
            "auto",
            "several microphones (A, B): name one, [obs] ",
        ),
        ({}, "auto", "no microphone yet"),
        ({"A": "pulse_input_capture"}, "C", "no input 'C'; it has A"),
        ({"A": "pulse_input_capture"}, "off", "sound is left as it is"),
    ],
)
def test_without_a_clear_microphone_no_sound_is_touched(
    tmp_path: Path, inputs: dict[str, str], microphone: str, why: str
) -> None:
    """The status says why."""
    with with_source(FakeObs()) as obs:
        del obs.inputs["Mic/Aux"]
        obs.inputs |= {name: (kind, {}) for name, kind in inputs.items()}
        with Desk(tmp_path, address=obs.address, microphone=microphone).link() as link:
            obs.wait(lambda: len(obs.requests("GetInputSettings")) > 1)
            assert why in str(link.status)
        assert obs.requests("SetInputAudioSyncOffset") == []


def test_a_restart_of_obs_is_waited_for_and_everything_set_again(tmp_path: Path) -> None:
    """The loss is told once, with what to do; the offset that OBS has saved is ours and does not add up."""
    desk = Desk(tmp_path, scenes={"Gaming": "gaming"})
    with with_source(FakeObs()) as obs:
        desk.wish = desk.wish.model_copy(update={"address": obs.address})
        link = desk.link()
        obs.wait(lambda: obs.offsets["Mic/Aux"] == 150)
        port = obs.port
    desk.wait(lambda: any("cannot be reached" in text for text in desk.told))
    assert not link.status.connected
    assert "Start OBS" in link.status.trouble
    with with_source(FakeObs(port=port)) as obs:
        obs.offsets["Mic/Aux"] = 150
        obs.current = "Gaming"
        obs.wait(lambda: len(obs.requests("SetInputAudioSyncOffset")) == 2)
        desk.wait(lambda: desk.settings.current.gaming)
        link.close()
        assert obs.offsets["Mic/Aux"] == 0
    assert sum("cannot be reached" in text for text in desk.told) == 1


def test_a_session_that_obs_ends_is_begun_again_but_a_wrong_password_is_not_tried_often(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody who throws us out of OBS gets us back; whoever changes the password is not pestered."""
    pauses: list[float] = []
    original = ObsLink._pause

    async def pause(link: ObsLink, seconds: float) -> None:
        pauses.append(seconds)
        await original(link, 0.01)

    monkeypatch.setattr(ObsLink, "_pause", pause)
    desk = Desk(tmp_path)
    with with_source(FakeObs("right")) as obs:
        desk.wish = desk.wish.model_copy(update={"address": obs.address, "password": SecretStr("right")})
        with desk.link() as link:
            obs.wait(lambda: obs.offsets["Mic/Aux"] == 150)
            obs.end_sessions(4011)
            desk.wait(lambda: any("Somebody ended" in text for text in desk.told))
            desk.wait(lambda: sum(text.startswith("Connected") for text in desk.told) == 2)
            assert link.status.connected
        pauses.clear()
        desk.wish = desk.wish.model_copy(update={"password": SecretStr("wrong")})
        with desk.link():
            desk.wait(lambda: any("does not accept" in text for text in desk.told))
            desk.wait(lambda: len(pauses) > 0)
    assert min(pauses) >= 30
    assert "wrong" not in "".join(desk.told)


def test_scenes_and_outputs_are_followed_from_the_start(tmp_path: Path) -> None:
    """A scene that is shown, and a recording that runs when we come, count as well."""
    with with_source(FakeObs()) as obs:
        obs.current, obs.outputs["Record"] = "Gaming", True
        desk = Desk(
            tmp_path, address=obs.address, never_raw=True, scenes={"Gaming": "gaming", "Scene": "style portrait"}
        )
        desk.controller.perform("compare", on=True)
        with desk.link() as link:
            desk.wait(lambda: desk.settings.current.gaming)
            assert not desk.settings.current.compare
            assert link.status.on_air == ("recording",)
            obs.show("Scene")
            desk.wait(lambda: desk.settings.current.style == "portrait")
            assert not desk.settings.current.gaming
            obs.tell("RecordStateChanged", outputActive=False, outputState="OBS_WEBSOCKET_OUTPUT_STOPPED")
            obs.show("Gaming")
            desk.wait(lambda: desk.settings.current.gaming)
            desk.controller.perform("compare", on=True)
            assert desk.settings.current.compare


def test_the_action_adds_the_source_and_says_so(tmp_path: Path) -> None:
    """Where OBS is not there it says that, and no one waits for it."""
    with FakeObs() as obs:
        desk = Desk(tmp_path, address=obs.address)
        with desk.link() as link:
            desk.wait(lambda: link.status.connected)
            desk.controller.add_source = link.add_source
            desk.controller.perform("add_to_obs")
            desk.wait(lambda: "OBS: livefilter was added to scene Scene" in desk.told)
            obs.wait(lambda: obs.offsets["Mic/Aux"] == 150)
    desk.controller.add_source = None
    desk.controller.perform("add_to_obs")
    assert desk.settings.current.notice == "livefilter is not connected to OBS: start it with --obs"


def test_an_obs_that_never_answers_holds_nothing_up(tmp_path: Path) -> None:
    """Neither the start, nor an action, nor the end."""
    with FakeObs() as obs:
        obs.silent |= {"GetVersion"}
        began = time.monotonic()
        link = Desk(tmp_path, address=obs.address).link()
        obs.wait(lambda: bool(obs.requests("GetVersion")))
        with pytest.raises(ObsUnavailable, match="not connected"):
            link.add_source()
        assert time.monotonic() - began < WAIT_S
    link.close()


def test_a_damaged_memory_counts_as_empty(tmp_path: Path) -> None:
    """Whatever is in the file; what is kept afterwards is read again."""
    path = tmp_path / "deep" / "obs.json"
    path.parent.mkdir()
    for content in (b"", b"[]", b'{"offsets": 3, "ways": {"media": true}}', b"\xff", b'{"ways": {"media": NaN}}'):
        path.write_bytes(content)
        memory = Memory(path)
        assert memory.offset("a", "b") is None
        assert memory.path_ms("media") is None
        memory.keep_path("media", 41.26)
        memory.keep_offset("a", "b", -20, 100)
        assert (Memory(path).path_ms("media"), Memory(path).offset("a", "b")) == (41.3, (-20, frozenset({100})))
        assert path.stat().st_mode & 0o077 == 0
