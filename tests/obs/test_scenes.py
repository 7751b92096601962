"""Rules of scenes: what they may say, and how they and a person share the settings."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livefilter.control.controller import Controller
from livefilter.control.settings import LiveSettings, SharedSettings
from livefilter.errors import ConfigError
from livefilter.obs.on_air import OnAir
from livefilter.obs.scenes import SceneRules, parse_rules

RULES: dict[str, str | list[str]] = {
    "Be right back": "freeze",
    "Gaming": ["style portrait", "gaming"],
    "Talk": "profile talk",
    "Clean": ["bypass off", "compare off"],
}
PROFILES: dict[str, dict[str, Any]] = {"talk": {"strength": 0.8, "process_size": "auto", "style": "hayao"}}


def desk(rules: dict[str, str | list[str]] = RULES) -> tuple[SharedSettings, Controller, SceneRules, list[str]]:
    """Settings, who changes them by hand, the rules, and what was told."""
    settings = SharedSettings(LiveSettings("hayao"))
    told: list[str] = []
    controller = Controller(settings, ("hayao", "portrait"))
    return (
        settings,
        controller,
        SceneRules(parse_rules(rules, PROFILES)[0], settings, controller.perform, told.append),
        told,
    )


def test_a_scene_does_what_its_rule_says_and_the_next_takes_it_back() -> None:
    """A switch is switched on, not over, however often the scene comes; a profile is one too."""
    settings, _, scenes, told = desk()
    before = settings.current
    scenes.show("Be right back")
    scenes.show("Be right back")
    assert settings.current.frozen
    scenes.show("Gaming")
    assert (settings.current.frozen, settings.current.style, settings.current.gaming) == (False, "portrait", True)
    scenes.show("Talk")
    assert (settings.current.style, settings.current.gaming, settings.current.strength) == ("hayao", False, 0.8)
    scenes.show("Elsewhere")
    now = settings.current
    assert (now.style, now.strength, now.frozen, now.gaming) == (before.style, before.strength, False, False)
    assert told == []


def test_what_a_person_changes_wins_until_the_next_scene() -> None:
    """It is left alone when the scene ends, and a rule of the next scene changes it."""
    settings, controller, scenes, _ = desk()
    scenes.show("Gaming")
    controller.perform("style", name="hayao")
    controller.perform("gaming", on=False)
    scenes.show("Elsewhere")
    assert (settings.current.style, settings.current.gaming) == ("hayao", False)
    scenes.show("Gaming")
    assert (settings.current.style, settings.current.gaming) == ("portrait", True)


def test_no_scene_uncovers_what_a_person_showed_raw_before() -> None:
    """Bypass that a rule ended is not begun again by itself."""
    settings, controller, scenes, _ = desk()
    controller.perform("bypass", on=True)
    scenes.show("Clean")
    assert settings.current.raw == ""
    scenes.show("Elsewhere")
    assert settings.current.raw == ""


def test_scenes_that_obs_does_not_have_are_told_once_with_the_nearest() -> None:
    """Spelling and capitals are the usual reasons."""
    _, _, scenes, told = desk({"be right backk": "freeze", "Gaming": "gaming"})
    for _ in range(2):
        scenes.check(["Be Right Back", "Gaming"])
    assert told == ["OBS has no scene 'be right backk', which [obs.scenes] names. Did you mean 'Be Right Back'?"]


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("frieze", r"\[obs.scenes\] 'S' = 'frieze': Unknown action 'frieze'. Did you mean 'freeze'"),
        ("strength 3", r"value of strength must be a number from 0 to 1"),
        ("strength", r"strength needs value"),
        ("next_style", r"next_style is no rule"),
        ("quit", r"quit is no rule"),
        ("snapshot now", r"snapshot takes no value"),
        ("profile tolk", r"Unknown profile 'tolk'. Did you mean 'talk'"),
    ],
)
def test_a_wrong_rule_is_told_before_the_run(rule: str, says: str) -> None:
    """With its scene, what is wrong and what is meant."""
    with pytest.raises(ConfigError, match=says):
        parse_rules({"S": rule}, PROFILES)


def test_what_of_a_profile_cannot_change_live_is_told() -> None:
    """The rest of it is done."""
    rules, notices = parse_rules({"S": "profile p"}, {"p": {"fps": 24, "gaming": True}})
    assert [step.action for step in rules["S"]] == ["gaming"]
    assert notices == ["Profile p: fps cannot change while livefilter runs, so a scene leaves it as it is"]


actions = st.sampled_from(
    [
        ("bypass", {}),
        ("compare", {}),
        ("strength", {"value": 0.1}),
        ("strength", {"value": 0.9}),
        ("bypass", {"on": True}),
        ("person", {"what": "raw"}),
        ("person_raw", {}),
        ("room", {"what": "raw"}),
        ("room", {"what": "blur"}),
    ]
)


@given(st.lists(st.one_of(actions, st.sampled_from(["on air", "off air", "Be right back", "Clean"])), max_size=30))
def test_nothing_raw_is_set_while_on_air(events: list[Any]) -> None:
    """Whatever keys, scenes and OBS do, in any order; off air everything works again."""
    settings, controller, scenes, _ = desk()
    on_air = OnAir(settings, never_raw=True)
    airing = False
    for event in events:
        if event in ("on air", "off air"):
            airing = event == "on air"
            on_air.follow("streaming", f"OBS_WEBSOCKET_OUTPUT_{'STARTING' if airing else 'STOPPED'}")
        elif isinstance(event, str):
            scenes.show(event)
        else:
            controller.perform(event[0], **event[1])
        assert not (airing and settings.current.raw)
    on_air.set("streaming", False)
    controller.perform("bypass", on=True)
    assert settings.current.raw == "Raw camera"


def test_recording_goes_on_counting_when_streaming_ends() -> None:
    """Either is on air; the notice says why bypass does not come."""
    settings, controller, _, _ = desk()
    on_air = OnAir(settings, never_raw=True)
    on_air.set("streaming", True)
    on_air.set("recording", True)
    on_air.set("streaming", False)
    controller.perform("bypass")
    assert settings.current.raw == ""
    assert settings.current.notice == "OBS is recording, so nothing raw is shown ([obs] never_raw)"
    relaxed, other, _, _ = desk()
    OnAir(relaxed, never_raw=False).set("recording", True)
    other.perform("bypass")
    assert relaxed.current.raw
