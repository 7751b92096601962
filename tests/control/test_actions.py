"""The table of actions, and what it lets through."""

from __future__ import annotations

from typing import Any

import pytest

from livefilter.control.actions import ACTIONS, BY_NAME
from livefilter.control.controller import Controller
from livefilter.control.settings import LiveSettings, SharedSettings
from livefilter.control.timed import MAX_WAITING, TimedActions
from livefilter.errors import Busy, InvalidInput, UnknownName


def control() -> tuple[SharedSettings, Controller]:
    """A controller over three styles, the first one chosen."""
    settings = SharedSettings(LiveSettings("hayao"))
    return settings, Controller(settings, ("hayao", "shinkai", "paprika"))


@pytest.mark.parametrize(
    ("action", "values", "field", "expected"),
    [
        ("style", {"name": "paprika"}, "style", "paprika"),
        ("strength", {"value": 0.25}, "strength", 0.25),
        ("strength", {"value": "0.25"}, "strength", 0.25),
        ("split", {"at": 0.3}, "split", 0.3),
        ("bypass", {"on": True}, "bypass", True),
        ("bypass", {"on": "off"}, "bypass", False),
        ("freeze", {"on": "1"}, "frozen", True),
        ("network", {"size": "full"}, "network", "full"),
        ("process_size", {"pixels": "360"}, "process_size", 360),
        ("mirror_output", {}, "mirror_output", True),
    ],
)
def test_an_action_sets_what_it_names(action: str, values: dict[str, Any], field: str, expected: Any) -> None:
    """Values come as their type or as text, as an address has them."""
    settings, controller = control()
    controller.perform(action, **values)
    assert getattr(settings.current, field) == expected


@pytest.mark.parametrize(
    ("action", "values", "says"),
    [
        ("strength", {"value": 1.6}, r"value of strength must be a number from 0 to 1.5, not '1.6'"),
        ("strength", {"value": "nan"}, r"value of strength must be a number"),
        ("strength", {"value": True}, r"value of strength must be"),
        ("strength", {"value": [1]}, r"value of strength must be"),
        ("strength", {}, r"strength needs value: a number from 0 to 1"),
        ("network", {"size": "huge"}, r"size of network must be auto or lite or full"),
        ("process_size", {"pixels": 12.5}, r"pixels of process_size must be a whole number"),
        ("process_size", {"pixels": 20}, r"must be 0 \(automatic\) or from 64"),
        ("style", {"name": "papprika"}, r"Unknown style 'papprika'. Did you mean 'paprika'"),
        ("style", {"name": "papprika", "for_s": 3}, r"Unknown style 'papprika'"),
        ("bypass", {"onn": 1}, r"Unknown parameter of bypass 'onn'. Did you mean 'on'"),
        ("bypass", {"on": 1, "cooldown_s": 4}, r"means nothing without for_s"),
        ("bypass", {"on": 1, "for_s": 0}, r"for_s of bypass must be a number from 0.1 to 3600"),
        ("bypas", {}, r"Unknown action 'bypas'. Did you mean 'bypass'"),
        ("input", {"target": "demo"}, r"cannot be changed"),
    ],
)
def test_a_wrong_value_is_named_and_changes_nothing(action: str, values: dict[str, Any], says: str) -> None:
    """The message names the action, the parameter and what is allowed."""
    settings, controller = control()
    before = settings.current
    with pytest.raises((InvalidInput, UnknownName), match=says):
        controller.perform(action, **values)
    assert settings.current is before


def test_every_name_and_key_stands_once() -> None:
    """No two actions share a name, a key, a chord or a pad."""
    assert len(BY_NAME) == len(ACTIONS) + 9
    for kind in ("key", "chord", "pad"):
        given = [getattr(action, kind) for action in ACTIONS if getattr(action, kind)]
        assert len(given) == len(set(given))


def test_listeners_hear_each_change_until_they_leave() -> None:
    """A change is told once to everyone who listens."""
    settings, controller = control()
    heard: list[float] = []
    forget = settings.listen(lambda: heard.append(settings.current.strength))
    controller.perform("strength", value=0.5)
    forget()
    controller.perform("strength", value=0.4)
    assert heard == [0.5]


class Clock:
    """Time that only a test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def lane() -> tuple[TimedActions, Clock, dict[str, Any]]:
    """Timed actions over one setting "style", without their thread."""
    clock, shown = Clock(), {"style": "hayao"}

    def apply(field: str, action: str, values: dict[str, Any]) -> tuple[Any, Any]:
        before = shown[field]
        if values["name"] == "refused":
            raise InvalidInput("refused")
        shown[field] = values["name"]
        return before, shown[field]

    def give_back(field: str, before: Any, given: Any) -> None:
        if shown[field] == given:
            shown[field] = before

    timed = TimedActions(apply, give_back, clock)
    timed._thread = timed  # type: ignore[assignment]  # step is called by the test
    return timed, clock, shown


def test_timed_actions_wait_for_each_other_and_cool_down() -> None:
    """The second one begins when the first has ended and its rest is over; then the style is what it was."""
    timed, clock, shown = lane()
    timed.add("style", "style", {"name": "paprika"}, 30.0, 10.0)
    timed.add("style", "style", {"name": "refused"}, 30.0)
    timed.add("style", "style", {"name": "shinkai"}, 5.0)
    seen = []
    for now in (0, 29, 30, 39, 40, 44, 45, 46):
        clock.now = now
        timed.step()
        seen.append(shown["style"])
    assert seen == ["paprika", "paprika", "hayao", "hayao", "shinkai", "shinkai", "hayao", "hayao"]
    assert timed.step() is None


def test_too_many_timed_actions_are_refused() -> None:
    """The queue is bounded, and says so."""
    timed, _clock, _shown = lane()
    for _ in range(MAX_WAITING + 1):
        timed.add("style", "style", {"name": "paprika"}, 30.0)
    assert timed.state() == [{"setting": "style", "action": "style", "left_s": 30.0, "waiting": MAX_WAITING}]
    with pytest.raises(Busy, match="wait for style already"):
        timed.add("style", "style", {"name": "paprika"}, 30.0)


def test_a_timed_action_goes_back_by_itself() -> None:
    """The controller's own thread undoes it; what a person changed meanwhile stays."""
    import threading

    settings, controller = control()
    back = threading.Event()
    settings.listen(lambda: back.set() if settings.current.notice.startswith("Time is up") else None)
    try:
        controller.perform("style", name="paprika", for_s=0.1)
        assert settings.current.style == "paprika"
        assert back.wait(60)
        assert settings.current.style == "hayao"
    finally:
        controller.close()
