"""Keys and what they do."""

from __future__ import annotations

import threading

import pytest

from livefilter.control.actions import ACTIONS, BARE, help_lines
from livefilter.control.controller import Controller
from livefilter.control.settings import LiveSettings, SharedSettings
from livefilter.errors import UnknownName

STYLES = ("hayao", "shinkai", "paprika")


def control() -> tuple[SharedSettings, Controller]:
    """A controller over three styles, the first one chosen."""
    settings = SharedSettings(LiveSettings("hayao"))
    return settings, Controller(settings, STYLES)


@pytest.mark.parametrize(
    ("keys", "style"),
    [
        ("2", "shinkai"),
        ("3", "paprika"),
        ("n", "shinkai"),
        ("nn", "paprika"),
        ("nnn", "hayao"),
        ("p", "paprika"),
        ("7", "hayao"),
    ],
)
def test_style_keys_choose_in_the_catalogues_order(keys: str, style: str) -> None:
    """Numbers count from 1, n and p go round, and a number without a style changes nothing."""
    settings, controller = control()
    for key in keys:
        assert controller.press(key)
    assert settings.current.style == style


@pytest.mark.parametrize(
    ("key", "field"),
    [
        ("c", "compare"), ("m", "mirror"), ("b", "bypass"), ("r", "recording"),
        ("space", "frozen"), ("h", "help"),
    ],
)  # fmt: skip
def test_a_toggle_goes_on_and_off(key: str, field: str) -> None:
    """Pressing a toggle twice leads back, and nothing else changes."""
    settings, controller = control()
    before = settings.current
    controller.press(key)
    assert getattr(settings.current, field) is True
    controller.press(key)
    assert getattr(settings.current, field) is getattr(before, field) is False


def test_strength_stays_between_0_and_1() -> None:
    """Ten steps down reach 0 exactly, more stay there; up again reaches 1."""
    settings, controller = control()
    for _ in range(14):
        controller.press("[")
    assert settings.current.strength == 0
    for _ in range(14):
        controller.press("]")
    assert settings.current.strength == 1


def test_snapshot_and_quit_are_wishes() -> None:
    """s counts up, q sets quitting."""
    settings, controller = control()
    controller.press("s")
    controller.press("s")
    controller.press("q")
    assert settings.current.snapshots == 2
    assert settings.current.quitting


def test_an_unknown_key_does_nothing() -> None:
    """press says so and the settings stay as they were."""
    settings, controller = control()
    before = settings.current
    assert not controller.press("x")
    assert not controller.press("0")
    assert settings.current is before


def test_help_names_every_key() -> None:
    """Each action stands in the help with its key."""
    text = "\n".join(help_lines())
    assert all(action.key in text and action.help in text for action in ACTIONS if action.key)


def test_bypass_says_that_viewers_see_the_camera() -> None:
    """Showing the raw camera is announced in plain words."""
    settings, controller = control()
    controller.press("b")
    assert "raw camera" in settings.current.notice


def test_every_action_has_a_name_that_performs_it() -> None:
    """Whatever triggers an action calls it by its name; each one changes the settings."""
    for name in BARE:
        settings = SharedSettings(LiveSettings("hayao"))
        controller = Controller(settings, [*STYLES, *"456789"])
        before = settings.current
        controller.perform(name)
        assert settings.current is not before, name


@pytest.mark.parametrize("values", [{}, {"for_s": 5}])
def test_a_style_number_that_nobody_has_is_refused(values: dict[str, float]) -> None:
    """Callers get an error, at once also when it is timed; whoever pressed a key gets a notice."""
    settings, controller = control()
    controller.perform("style_1", for_s=60)
    with pytest.raises(UnknownName, match=r"Unknown style number '9'\. Known: 1 hayao, 2 shinkai, 3 paprika"):
        controller.perform("style_9", **values)
    assert settings.current.style == "hayao"
    assert controller.press("9")
    assert settings.current.notice.startswith("Unknown style number '9'")
    controller.close()


def test_actions_of_several_threads_all_count() -> None:
    """Two thousand toggles from two threads leave the switch where it was, and lose no snapshot."""
    settings, controller = control()

    def toggle() -> None:
        for _ in range(1000):
            controller.perform("bypass")
            controller.perform("snapshot")

    threads = [threading.Thread(target=toggle) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not settings.current.bypass
    assert settings.current.snapshots == 2000


def test_a_key_that_belongs_to_a_chord_is_left_alone() -> None:
    """While ctrl, alt or super are held the window's keys mean nothing."""
    settings, controller = control()
    before = settings.current
    controller.chording = lambda: True
    assert not controller.press("b")
    assert settings.current is before
