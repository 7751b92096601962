"""Styling a live run: switching, blending, and never the raw camera."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest

from livefilter.control.settings import LiveSettings, SharedSettings
from livefilter.errors import EngineFailed, StyleCorrupt
from livefilter.frame import Frame
from livefilter.live.stylist import LiveStylist
from livefilter.metrics import Metrics
from tests.conftest import frame
from tests.fakes import FakeClock, FakeStyler, until


def stylist(
    first: FakeStyler, load: Callable[[str], FakeStyler] | None = None, **settings: object
) -> tuple[LiveStylist, SharedSettings, FakeClock]:
    """A stylist that starts with style "first" and fades for one second."""

    def nothing(name: str) -> FakeStyler:
        raise StyleCorrupt(f"{name} is damaged")

    clock = FakeClock(0.0)
    shared = SharedSettings(LiveSettings("first", **settings))  # type: ignore[arg-type]
    return LiveStylist(load or nothing, first, shared, Metrics(), fade_s=1.0, clock=clock), shared, clock


def loader_done() -> bool:
    """No style is being loaded."""
    return not any(thread.name == "style-loader" for thread in threading.enumerate())


def step(live: LiveStylist, number: int = 0) -> Frame:
    """Style one frame, after letting the loader finish."""
    live(frame(number=number))
    until(loader_done, "the style loaded")
    return live(frame(number=number))


def test_frames_are_styled_and_keep_number_and_time() -> None:
    """Only the picture changes."""
    live, _, _ = stylist(FakeStyler())
    taken = frame(number=7, captured_at=3.5)
    styled = live(taken)
    assert np.array_equal(styled.image, 255 - taken.image)
    assert (styled.number, styled.captured_at) == (7, 3.5)


@pytest.mark.parametrize("strength", [0.0, 0.3, 1.0])
def test_strength_blends_original_and_styled(strength: float) -> None:
    """0 is the original, 1 the styled picture, between them the weighted mean."""
    live, _, _ = stylist(FakeStyler(), strength=strength)
    taken = frame()
    wanted = taken.image * (1 - strength) + (255.0 - taken.image) * strength
    assert np.abs(live(taken).image - wanted).max() <= 1


def test_compare_shows_both_halves() -> None:
    """The left half is the original, the right half styled, a line between."""
    live, _, _ = stylist(FakeStyler(), compare=True)
    taken = frame()
    out = live(taken).image
    assert np.array_equal(out[:, :31], taken.image[:, :31])
    assert np.array_equal(out[:, 33:], 255 - taken.image[:, 33:])


def test_bypass_shows_the_raw_camera_and_mirror_output_flips() -> None:
    """Both are explicit choices, and both reach the viewers."""
    live, settings, _ = stylist(FakeStyler(), bypass=True)
    taken = frame()
    assert np.array_equal(live(taken).image, taken.image)
    settings.change(mirror_output=True)
    assert np.array_equal(live(taken).image, taken.image[:, ::-1])
    settings.change(bypass=False)
    assert np.array_equal(live(taken).image, 255 - taken.image[:, ::-1])


def test_freeze_keeps_the_last_result() -> None:
    """While frozen the same frame comes out, with its own number; then new ones again."""
    live, settings, _ = stylist(FakeStyler())
    first = live(frame(number=1))
    settings.change(frozen=True)
    again = live(frame(number=2))
    assert again.image is first.image
    assert (again.number, again.mark) == (1, "Frozen")
    settings.change(frozen=False)
    assert live(frame(number=3)).number == 3


def test_a_frozen_raw_picture_goes_when_bypass_ends() -> None:
    """The frozen moment is styled instead of staying raw, and bypass does not come into it again."""
    live, settings, _ = stylist(FakeStyler(), bypass=True)
    taken = frame(number=1)
    live(taken)
    settings.change(frozen=True)
    assert np.array_equal(live(frame(number=2)).image, taken.image)
    settings.change(bypass=False)
    styled = live(frame(number=3))
    assert np.array_equal(styled.image, 255 - taken.image)
    assert styled.number == 1
    settings.change(bypass=True)
    assert live(frame(number=4)).image is styled.image


def test_a_frozen_split_screen_goes_when_compare_ends() -> None:
    """No raw half stays behind."""
    live, settings, _ = stylist(FakeStyler(), compare=True, frozen=True)
    taken = frame(number=1)
    live(taken)
    settings.change(compare=False)
    assert np.array_equal(live(frame(number=2)).image, 255 - taken.image)


def test_a_style_that_never_loads_does_not_hold_up_the_end() -> None:
    """`close` comes back while the loader hangs; what it loads in the end is closed."""
    gate, late = threading.Event(), FakeStyler()

    def load(name: str) -> FakeStyler:
        gate.wait(60)
        return late

    live, settings, _ = stylist(FakeStyler(), load)
    settings.change(style="second")
    live(frame())
    closing = threading.Thread(target=live.close)
    closing.start()
    closing.join(30)
    assert not closing.is_alive()
    gate.set()
    until(lambda: late.closed, "the late style closed")
    until(loader_done, "the loader's end")


def test_a_style_that_never_loads_does_not_keep_others_waiting() -> None:
    """Another one is loaded beside it after ten seconds; what comes of the first in the end is closed."""
    gate, late, good = threading.Event(), FakeStyler(value=1), FakeStyler(value=240)

    def load(name: str) -> FakeStyler:
        if name == "good":
            return good
        gate.wait(60)
        return late

    live, settings, clock = stylist(FakeStyler(value=40), load)
    settings.change(style="hung")
    live(frame())
    settings.change(style="good")
    clock.now = 9.0
    assert live(frame()).image.max() == 40
    clock.now = 11.0
    live(frame())

    def swapped() -> bool:
        live(frame())
        return live.style == "good"

    until(swapped, "the good style on screen")
    gate.set()
    until(lambda: late.closed, "the late style closed")
    assert not good.closed
    live.close()


def test_switching_is_loaded_beside_the_frames_and_cross_fades() -> None:
    """Old style until the new one is warm, then a fade from the last old picture to the new one, nothing raw."""
    gate = threading.Event()
    old, new = FakeStyler(value=40), FakeStyler(value=240)

    def load(name: str) -> FakeStyler:
        gate.wait(60)
        return new

    live, settings, clock = stylist(old, load)
    live(frame())
    settings.change(style="second")
    for number in range(5):
        assert live(frame(number=number)).image.max() == 40  # still the old style, no wait
    gate.set()
    until(loader_done, "the style loaded")
    assert live.style == "first"
    fades = []
    for _ in range(5):
        fades.append(int(live(frame()).image[0, 0, 0]))
        clock.now += 0.25
    assert live.style == "second"
    assert fades == [40, 90, 140, 190, 240]
    assert new.warmed == [(64, 48)]
    assert old.closed
    live.close()
    assert new.closed


def test_a_fade_out_of_a_weak_style_is_marked_until_it_is_over() -> None:
    """Part of what is faded from is the camera's picture, though the wish for it has ended."""
    live, settings, clock = stylist(FakeStyler(), lambda name: FakeStyler(value=240), strength=0.1)
    live(frame())
    settings.change(style="second")
    live(frame())
    until(loader_done, "the style loaded")
    settings.change(strength=1.0)
    assert live(frame()).raw == "Weak style"
    clock.now += 0.5
    assert live(frame()).raw == "Weak style"
    clock.now += 0.5
    assert live(frame()).raw == ""


def test_a_style_that_does_not_load_leaves_the_running_one() -> None:
    """The wish goes back to the running style, and the reason is told."""
    live, settings, _ = stylist(FakeStyler())
    live(frame())
    settings.change(style="broken")
    out = step(live)
    assert np.array_equal(out.image, 255 - frame().image)
    assert settings.current.style == "first"
    assert "broken is damaged" in settings.current.notice


def test_a_changed_mind_ends_at_the_newest_wish() -> None:
    """Wishing b and then c while b still loads ends with c, and b's engine is freed."""
    stylers = {"b": FakeStyler("b"), "c": FakeStyler("c")}
    live, settings, _ = stylist(FakeStyler(), stylers.__getitem__)
    settings.change(style="b")
    live(frame())
    settings.change(style="c")
    until(loader_done, "b loaded")
    step(live)
    step(live)
    assert live.style == "c"
    assert stylers["b"].closed
    live.close()


def test_an_engine_that_fails_once_is_loaded_again() -> None:
    """One failure costs a reload; the frame still comes out styled."""
    broken, fresh = FakeStyler(errors=[EngineFailed("out of memory")]), FakeStyler()
    live, _, _ = stylist(broken, lambda name: fresh)
    assert np.array_equal(live(frame()).image, 255 - frame().image)
    assert broken.closed


def test_an_engine_that_fails_again_ends_the_run() -> None:
    """The second failure is raised, with the reason, and no raw frame stands in for it."""
    broken, again = FakeStyler(errors=[EngineFailed("first")]), FakeStyler(errors=[EngineFailed("second time")])
    live, _, _ = stylist(broken, lambda name: again)
    with pytest.raises(EngineFailed, match="second time"):
        live(frame())


def test_200_switches_never_show_a_raw_frame() -> None:
    """Whatever is pressed when, what comes out is a mixture of styles only."""
    live, settings, clock = stylist(FakeStyler(value=200), lambda name: FakeStyler(value=200))
    for number in range(200):
        settings.change(style=f"style{number % 3}")
        clock.now += 0.1
        assert (live(frame(number=number)).image == 200).all()
    live.close()
