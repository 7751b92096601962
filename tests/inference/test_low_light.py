"""Dark frames are drawn from a lighter copy."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from livefilter.config import Config
from livefilter.frame import Image
from livefilter.inference.base import Engine, EngineInfo, EngineOptions
from livefilter.inference.geometry import fit_network
from livefilter.inference.look import Look
from livefilter.inference.low_light import Lightening, lightening_of
from livefilter.inference.part_styler import PartStyler
from livefilter.inference.styler import Styler
from livefilter.live.configured_stylist import ConfiguredStylist
from livefilter.live.open_styler import open_styler
from livefilter.styles.catalogue import Catalogue
from livefilter.styles.network import Network

DAY = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)


class Watching(Engine):
    """Draws what it sees, and keeps how light that was."""

    seen: float = 0.0

    def __init__(self, network: Path, width: int, height: int, options: EngineOptions | None = None) -> None:
        self.info = EngineInfo("watching", "none", "uint8", width, height)

    def run(self, image: Image, strength: float = 1.0) -> Image:
        Watching.seen = float(image.mean())
        return image.copy()

    def close(self) -> None:
        """Nothing to free."""


def dark(share: float) -> Image:
    """The same scene with a share of its light."""
    return np.asarray(np.rint(DAY * share), np.uint8)


def test_the_gain_grows_with_the_dark_and_not_beside_a_lit_face() -> None:
    """None by day; more the darker it is, without a jump; none where a tenth of the frame is lit; never without end."""
    gains = [lightening_of(dark(share)).gain for share in np.linspace(1.0, 0.1, 200)]
    assert gains[0] == 1.0
    assert gains[-1] > 4
    assert all(0 <= after - before < 0.2 for before, after in itertools.pairwise(gains))
    lit = dark(0.1)
    lit[:16] = 200
    assert lightening_of(lit).gain == 1.0
    assert lightening_of(dark(0.0)).gain == lightening_of(dark(0.02)).gain == 6.0


def test_a_lighter_copy_keeps_black_and_white_and_half_is_taken_back() -> None:
    """Tones stay in order; the dark is as many times as light as the gain, and then as its root."""
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, 2)
    fourfold = Lightening(4.0)
    light = fourfold.lighter(ramp)
    assert (light[0, 0] == 0).all()
    assert (light[0, 255] == 255).all()
    assert (np.diff(light[0, :, 0].astype(int)) >= 0).all()
    assert abs(int(light[0, 10, 0]) - 40) < 4
    assert abs(int(fourfold.darker(light)[0, 10, 0]) - 20) < 3
    assert Lightening().lighter(ramp) is ramp
    assert Lightening().darker(ramp) is ramp


def before_a_window(face: int, window: int = 250, wall: int = 120, share: float = 0.4) -> Image:
    """Somebody in the middle of a wall, beside a window that takes a share of the frame."""
    scene = np.full((180, 320, 3), wall, np.uint8)
    scene[:, : round(320 * share)] = window
    scene[60:, 180:280] = face
    return scene


def test_a_dark_face_before_a_window_is_made_lighter_and_the_window_is_not() -> None:
    """It is seen three times as light, and drawn less than twice as light; its edge stays where it is."""
    scene = before_a_window(25)
    light = lightening_of(scene)
    assert light.gain == 1.0
    seen = light.lighter(scene)
    assert 2.3 < seen[90:160, 200:260].mean() / 25 < 3.0
    assert 1.4 < light.darker(seen)[90:160, 200:260].mean() / 25 < 2.0
    np.testing.assert_array_equal(seen[:, :120], scene[:, :120])
    assert np.abs(seen[:50, 140:].astype(int) - 120).max() < 6
    nearly = light.darker(light.lighter(before_a_window(25)))
    assert (nearly >= scene).all()


@pytest.mark.parametrize(
    "scene",
    [
        before_a_window(25, window=210),
        before_a_window(110),
        before_a_window(25, wall=180, share=0.02),
        before_a_window(25, wall=10, share=0.2),
    ],
    ids=["white wall", "lit face", "lamp", "night"],
)
def test_light_that_is_no_back_light_changes_nothing(scene: Image) -> None:
    """Black clothes before a white wall stay black, and dark skin that is lit keeps its tone."""
    light = lightening_of(scene)
    assert light.lighter(scene)[90:160, 200:260].mean() == pytest.approx(scene[90:160, 200:260].mean(), abs=1.0)


def test_back_light_comes_without_a_jump() -> None:
    """Windows that are opened, and a face that turns dark, change the shade little by little."""
    order = np.random.default_rng(0).random((180, 320, 1))
    room = before_a_window(25, wall=160, share=0.0)
    for scenes in (
        [np.where(order < share, np.uint8(250), room) for share in np.linspace(0.0, 0.2, 97)],
        [before_a_window(face) for face in range(130, 10, -1)],
    ):
        shades = [lightening_of(scene).shade for scene in scenes]
        means = [0.0 if shade is None else float(shade[90:160, 200:260].mean()) for shade in shades]
        assert means[0] == 0.0
        assert means[-1] > 0.4
        assert all(-0.02 <= after - before < 0.1 for before, after in itertools.pairwise(means))


def test_the_strength_decides_how_much_lighter() -> None:
    """The photo itself, at 0, is left as it is; more than the whole is not more light."""
    scene = before_a_window(25)
    levels = [float(lightening_of(scene, strength).lighter(scene)[120, 230, 0]) for strength in (0.0, 0.5, 1.0, 1.5)]
    assert levels[0] == 25.0
    assert levels[0] < levels[1] < levels[2] == levels[3]


def test_a_part_is_as_light_as_in_the_whole() -> None:
    """What is drawn on a part of the frame alone is seen in the frame's own light."""
    scene = before_a_window(25)
    rows, columns = slice(40, 180), slice(160, 300)
    light = lightening_of(scene)
    np.testing.assert_array_equal(
        light.part(rows, columns).lighter(scene[rows, columns]), light.lighter(scene)[rows, columns]
    )


@pytest.mark.parametrize("low_light", [True, False])
def test_a_styler_shows_its_engine_a_lighter_copy(low_light: bool) -> None:
    """The engine sees more light than the camera, the result has less of it again; less at half the strength."""
    night = dark(0.2)
    styler = Styler(Path("none"), Watching, 64, low_light=low_light)
    result = styler(night)
    seen = Watching.seen
    styler(night, Look(strength=0.5, finish=False))
    if low_light:
        assert seen > 2.0 * night.mean()
        assert night.mean() * 1.2 < result.mean() < seen * 0.9
        assert night.mean() * 1.2 < Watching.seen < seen * 0.9
    else:
        assert seen == night.mean() == result.mean() == Watching.seen
    part = PartStyler(
        Network("ink", "lite", Path("none"), ""), Watching, fit_network(96, 64, 64), 48, 64, low_light=low_light
    )
    found = part.draw(night, 24, 0)[:, 24:72]
    np.testing.assert_array_equal(found, result[:, 24:72])


@pytest.mark.parametrize("low_light", [True, False])
def test_a_styler_sees_a_face_before_a_window(low_light: bool) -> None:
    """Lighter than the camera, in the whole frame and in a part of it."""
    scene = before_a_window(25)
    styler = Styler(Path("none"), Watching, 180, low_light=low_light)
    result = styler(scene)
    assert bool(Watching.seen > scene.mean() + 3) == low_light
    assert bool(result.mean() > scene.mean() + 2) == low_light
    network = Network("ink", "lite", Path("none"), "")
    part = PartStyler(network, Watching, fit_network(320, 180, 180), 96, 184, low_light=low_light)
    np.testing.assert_array_equal(part.draw(scene, 184, 0)[:180, 184:280], result[:, 184:280])


@pytest.mark.parametrize("low_light", [True, False])
def test_the_setting_reaches_runs_and_renders(low_light: bool) -> None:
    """A live style, and what renders use, draw a dark frame lighter than it is, or leave its light alone."""
    night, config = dark(0.2), Config(backend="identity", low_light=low_light)
    styler = open_styler(config, Catalogue(), "hayao", 96, 64)
    with ConfiguredStylist(config) as stylist:
        for drawn in (styler(night), stylist(night)):
            assert bool(drawn.mean() > 1.2 * night.mean()) == low_light
    styler.close()
