"""Frames of any size through engines of a fixed size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livefilter.errors import EngineFailed, InvalidInput, UnknownName
from livefilter.frame import Image
from livefilter.inference.base import Engine, EngineInfo, EngineOptions
from livefilter.inference.geometry import FLOOR, fit_network
from livefilter.inference.look import blend
from livefilter.inference.styler import AUTO_SIZES, Styler
from livefilter.styles.accepts import Accepts
from livefilter.styles.network import Network
from tests.conftest import picture

NETWORK = Path("network.onnx")


class CountingEngine(Engine):
    """Returns frames as they came; each run takes `ms_per_pixel` on a clock that all share."""

    opened: list[CountingEngine]
    ms_per_pixel = 0.0
    now_s = 0.0

    def __init__(self, network: Path, width: int, height: int, options: EngineOptions) -> None:
        self.info = EngineInfo("counting", "none", "uint8", width, height)
        self.closed = 0
        self.runs = 0
        type(self).opened.append(self)

    def run(self, image: Image, strength: float = 1.0) -> Image:
        assert image.shape == (self.info.height, self.info.width, 3)
        assert image.flags.c_contiguous
        self.runs += 1
        CountingEngine.now_s += self.ms_per_pixel * self.info.width * self.info.height / 1000
        return image

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def engines(monkeypatch: pytest.MonkeyPatch) -> list[CountingEngine]:
    """Every CountingEngine that the test opens."""
    opened: list[CountingEngine] = []
    monkeypatch.setattr(CountingEngine, "opened", opened, raising=False)
    return opened


def blob(width: int, height: int) -> Image:
    """A soft bright spot, a little left of and above the middle."""
    y, x = np.mgrid[0:height, 0:width]
    across, down = (x + 0.5) / width - 0.45, (y + 0.5) / height - 0.4
    grey = 120 * np.exp(-6 * (across**2 + down**2)) + 60
    return np.repeat(grey.astype(np.uint8)[:, :, None], 3, axis=2)


def centre(image: Image) -> tuple[float, float]:
    """Where the brightness of a picture is centred: (x, y) in pixels."""
    weights = image[:, :, 0].astype(float)
    y, x = np.mgrid[0 : image.shape[0], 0 : image.shape[1]]
    return float((x * weights).sum() / weights.sum()), float((y * weights).sum() / weights.sum())


sizes = st.integers(2, 200)


@settings(max_examples=100, deadline=None)
@given(width=sizes, height=sizes, process_size=st.sampled_from([64, 96, 360]))
def test_any_size_comes_out_as_it_went_in(width: int, height: int, process_size: int) -> None:
    """Through an engine that changes nothing, a frame of any size keeps its size, its look and its place."""
    image = blob(width, height)
    styler = Styler(NETWORK, "identity", process_size)
    styled = styler(image)
    styler.close()
    assert styled.shape == image.shape
    assert styled.dtype == np.uint8
    # A picture of a few pixels is nothing but edges, and each is softened a little.
    assert np.abs(styled.astype(int) - image).mean() < (3 if min(width, height) >= 16 else 8)
    for found, expected in zip(centre(styled), centre(image), strict=True):
        assert found == pytest.approx(expected, abs=0.25)


@settings(max_examples=200, deadline=None)
@given(width=st.integers(1, 4096), height=st.integers(1, 4096), process_size=st.integers(64, 2160))
def test_the_fit_keeps_proportions_and_never_enlarges(width: int, height: int, process_size: int) -> None:
    """Scaled sizes keep the proportions to the pixel, are enlarged only below the floor, and fit multiples of 8."""
    found = fit_network(width, height, process_size)
    scale = max(found.width, found.height) / max(width, height)
    assert found.width == pytest.approx(max(1, width * scale), abs=1)
    assert found.height == pytest.approx(max(1, height * scale), abs=1)
    assert scale <= 1 or min(found.width, found.height) <= FLOOR
    for padded, filled in ((found.padded_width, found.width), (found.padded_height, found.height)):
        assert padded % 8 == 0
        assert padded >= filled
        assert padded == FLOOR or padded - filled < 8


@pytest.mark.parametrize(
    ("frame", "engine"),
    [
        ((640, 360), (640, 360)),
        ((1280, 720), (640, 360)),
        ((720, 1280), (360, 640)),
        ((640, 480), (480, 360)),
        ((3840, 2160), (640, 360)),
        ((641, 359), (648, 360)),
        ((320, 240), (320, 240)),
        ((2, 2), (64, 64)),
    ],
)
def test_the_shorter_side_becomes_the_process_size(frame: tuple[int, int], engine: tuple[int, int]) -> None:
    """Landscape, portrait, 4:3, 4K, odd and tiny frames are styled at the size that is meant for them."""
    found = fit_network(*frame, 360)
    assert (found.padded_width, found.padded_height) == engine


@pytest.mark.parametrize("frame", [(1280, 720), (720, 1280), (480, 480), (160, 120), (300, 2), (512, 512)])
def test_a_network_of_one_size_gets_the_whole_frame(engines: list[CountingEngine], frame: tuple[int, int]) -> None:
    """The frame is scaled down undistorted until it fits, the rest is filled, and process_size changes nothing."""
    network = Network("ink", "full", NETWORK, "0" * 64, accepts=Accepts(size=(512, 384)))
    styler = Styler(network, CountingEngine, 240, budget_ms=1.0)
    image = blob(*frame)
    styled = styler(image)
    assert (engines[0].info.width, engines[0].info.height) == (512, 384)
    assert styled.shape == image.shape
    assert np.abs(styled.astype(int) - image).mean() < 3
    assert styler.size_reason is not None
    assert "512x384 only" in styler.size_reason
    assert styler.network_size == "full"


@pytest.mark.parametrize("size", [(130, 100), (64, 64), (65, 128)])
def test_a_network_may_take_coarser_multiples(size: tuple[int, int]) -> None:
    """Both sides of what is filled up are multiples of what the network takes."""
    chosen = fit_network(*size, None, Accepts(multiple=48))
    assert (chosen.width, chosen.height) == size
    assert chosen.padded_width % 48 == chosen.padded_height % 48 == 0
    assert 0 <= chosen.padded_width - chosen.width < 48


def test_an_engine_is_kept_while_the_size_stays(engines: list[CountingEngine]) -> None:
    """One engine serves all frames of a size; another size closes it and opens another."""
    styler = Styler(NETWORK, CountingEngine, 64)
    styler.warm_up(160, 128)
    for _ in range(3):
        styler(picture(160, 128))
    assert [(engine.info.width, engine.info.height) for engine in engines] == [(80, 64)]
    styler(picture(128, 160))
    assert [(engine.info.width, engine.info.height) for engine in engines] == [(80, 64), (64, 80)]
    assert [engine.closed for engine in engines] == [1, 0]


def test_warm_up_runs_the_engine(engines: list[CountingEngine]) -> None:
    """After warm_up the engine has run once already, and says what it runs on."""
    styler = Styler(NETWORK, CountingEngine, 64)
    styler.warm_up(64, 64)
    assert engines[0].runs == 1
    assert styler.engine_info is engines[0].info


def test_a_result_belongs_to_the_caller(engines: list[CountingEngine]) -> None:
    """A later frame does not change an earlier result, nor does a result share memory with its frame."""
    styler = Styler(NETWORK, CountingEngine, 64)
    image = picture(64, 64)
    first = styler(image)
    kept = first.copy()
    styler(picture(64, 64, number=9))
    np.testing.assert_array_equal(first, kept)
    assert not np.shares_memory(first, image)


def test_timings_are_those_of_the_last_frame(monkeypatch: pytest.MonkeyPatch, engines: list[CountingEngine]) -> None:
    """What the engine took is inference; the rest is before and after it."""
    monkeypatch.setattr(CountingEngine, "ms_per_pixel", 0.01)
    styler = Styler(NETWORK, CountingEngine, 64, clock=lambda: CountingEngine.now_s)
    styler(picture(64, 64))
    assert styler.timings.inference_ms == pytest.approx(64 * 64 * 0.01)
    assert styler.timings.total_ms == pytest.approx(64 * 64 * 0.01)


@pytest.mark.parametrize(
    ("budget_ms", "expected"), [(0.1, 240), (4.2, 240), (7.0, 288), (10.0, 360), (17.0, 480), (22.0, 540), (1e6, 720)]
)
def test_auto_takes_the_largest_size_within_the_budget(
    monkeypatch: pytest.MonkeyPatch, engines: list[CountingEngine], budget_ms: float, expected: int
) -> None:
    """At 9 ms for 640x360, each budget gets the largest size whose predicted time fits, or the smallest of all."""
    monkeypatch.setattr(CountingEngine, "ms_per_pixel", 9.0 / (640 * 360))
    styler = Styler(NETWORK, CountingEngine, "auto", budget_ms=budget_ms, clock=lambda: CountingEngine.now_s)
    styler.warm_up(1920, 1080)
    assert styler.engine_info.height == -(-expected // 8) * 8
    assert f"x{expected}:" in str(styler.size_reason)
    assert ("may drop" in str(styler.size_reason)) == (budget_ms < 4)
    assert sum(engine.closed == 0 for engine in engines) == 1


def test_auto_stays_within_the_frame(engines: list[CountingEngine]) -> None:
    """With all the time in the world, a small frame is styled at its own size."""
    styler = Styler(NETWORK, CountingEngine, "auto", budget_ms=1e6, clock=lambda: CountingEngine.now_s)
    styler.warm_up(400, 304)
    assert (styler.engine_info.width, styler.engine_info.height) == (400, 304)
    assert max(AUTO_SIZES) > 304


def test_auto_without_a_budget_takes_the_frames_own_size(engines: list[CountingEngine]) -> None:
    """When nothing is in a hurry, nothing is scaled."""
    styler = Styler(NETWORK, CountingEngine, "auto")
    image = picture(1000, 808)
    np.testing.assert_array_equal(styler(image), image)


def test_a_view_that_is_not_contiguous_is_styled(engines: list[CountingEngine]) -> None:
    """A mirrored or cropped view of a frame gives the picture that its copy gives."""
    mirrored = picture(64, 64)[:, ::-1]
    np.testing.assert_array_equal(Styler(NETWORK, CountingEngine, 64)(mirrored), mirrored)


@pytest.mark.parametrize("image", [np.zeros((8, 8), np.uint8), np.zeros((8, 8, 4), np.uint8), np.zeros((8, 8, 3))])
def test_what_is_no_bgr_frame_is_refused(engines: list[CountingEngine], image: Image) -> None:
    """Grey, BGRA and float pictures are a clear error."""
    with pytest.raises(InvalidInput, match=r"must be uint8 BGR of shape \(H, W, 3\)"):
        Styler(NETWORK, CountingEngine, 64)(image)


def test_an_empty_frame_is_refused(engines: list[CountingEngine]) -> None:
    """A frame without pixels is a clear error."""
    with pytest.raises(InvalidInput, match="0x8"):
        Styler(NETWORK, CountingEngine, 64)(np.zeros((8, 0, 3), np.uint8))


def test_bad_settings_are_refused_at_once() -> None:
    """An absurd size and an unknown backend fail before any frame."""
    with pytest.raises(InvalidInput, match="process_size 8"):
        Styler(NETWORK, "identity", 8)
    with pytest.raises(UnknownName, match="onnxruntime"):
        Styler(NETWORK, "onxruntime", 360)


def test_close_can_be_called_twice(engines: list[CountingEngine]) -> None:
    """Close frees the engine; afterwards a frame is a clear error."""
    styler = Styler(NETWORK, CountingEngine, 64)
    styler(picture())
    styler.close()
    styler.close()
    assert [engine.closed for engine in engines] == [1]
    with pytest.raises(EngineFailed, match="closed"):
        styler(picture())


def test_blend_is_exact_at_its_ends() -> None:
    """Strength 0 is the original itself, 1 the styled picture itself, and a half lies between."""
    original, styled = np.full((4, 4, 3), 100, np.uint8), np.full((4, 4, 3), 200, np.uint8)
    assert blend(original, styled, 0.0) is original
    assert blend(original, styled, 1.0) is styled
    np.testing.assert_array_equal(blend(original, styled, 0.5), np.full((4, 4, 3), 150, np.uint8))
    assert original.max() == 100


@pytest.mark.parametrize("strength", [-0.1, 1.1, float("nan")])
def test_blend_refuses_a_strength_out_of_range(strength: float) -> None:
    """Strength is from 0 to 1."""
    with pytest.raises(InvalidInput, match="from 0"):
        blend(picture(), picture(), strength)


def test_blend_refuses_frames_of_different_sizes() -> None:
    """Both frames must have one shape."""
    with pytest.raises(InvalidInput, match="different shapes"):
        blend(picture(8, 8), picture(8, 16), 0.5)
