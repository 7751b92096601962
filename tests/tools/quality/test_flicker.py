"""Flicker of pictures whose steadiness is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from livefilter.frame import Image
from tools.quality.flicker import NOISE_SIGMA, noise_difference, optical_flows, warped_difference


def scene() -> Image:
    """Smooth random texture, which optical flow can follow."""
    texture = np.random.default_rng(0).integers(0, 256, (20, 28, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(texture, (224, 160), interpolation=cv2.INTER_CUBIC), np.uint8)


def moving(step: int, count: int = 3) -> list[Image]:
    """A view that moves over the scene, some pixels to the right in each frame."""
    return [np.ascontiguousarray(scene()[16:144, step * index : step * index + 160]) for index in range(count)]


def test_a_picture_that_does_not_change_does_not_flicker() -> None:
    """The difference of equal frames is nothing."""
    frames = [scene()] * 3
    assert warped_difference(frames, optical_flows(frames)) == pytest.approx(0.0, abs=0.01)


def test_flow_takes_movement_out() -> None:
    """A moving view differs by far less along the flow than pixel by pixel."""
    frames = moving(3)
    still = [np.dstack(np.meshgrid(np.arange(160), np.arange(128))).astype(np.float32)] * 2
    assert warped_difference(frames, optical_flows(frames)) < 0.3 * warped_difference(frames, still)


def test_flow_points_to_where_a_pixel_was() -> None:
    """When the view moves 3 pixels to the right, a pixel was 3 pixels further right before."""
    (flow,) = optical_flows(moving(3, 2))
    columns = np.arange(160)
    assert np.median(flow[20:-20, 20:-20, 0] - columns[20:-20]) == pytest.approx(3.0, abs=0.2)
    assert np.median(flow[20:-20, 20:-20, 1] - np.arange(20, 108)[:, None]) == pytest.approx(0.0, abs=0.2)


def test_a_style_that_pulses_is_found() -> None:
    """A style that brightens every other frame by 10 levels flickers by 10 more than the scene."""
    frames = [np.asarray(np.clip(frame, 20, 200), np.uint8) for frame in moving(2, 4)]
    flows = optical_flows(frames)
    pulsing = [frame + np.uint8(10 * (index % 2)) for index, frame in enumerate(frames)]
    assert warped_difference(pulsing, flows) - warped_difference(frames, flows) == pytest.approx(10.0, abs=1.0)


def test_pixels_from_outside_of_the_frame_do_not_count() -> None:
    """What the flow takes from beyond the border has nothing to be compared with."""
    black, frame = np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8, 3), np.uint8)
    frame[:, 4:] = 255
    flow = np.dstack(np.meshgrid(np.arange(8), np.arange(8))).astype(np.float32)
    flow[:, 4:, 0] += 8
    assert warped_difference([black, frame], [flow]) == 0.0


def test_noise_difference_is_that_of_the_noise_and_halves_with_the_contrast() -> None:
    """Two fresh noises differ by 2 sigma / sqrt(pi); a style that ignores the photo does not differ at all."""
    pictures = [np.full((96, 96, 3), 128, np.uint8)]
    whole = noise_difference(pictures, lambda picture: picture)
    assert whole == pytest.approx(2 * NOISE_SIGMA / np.sqrt(np.pi), rel=0.05)
    assert noise_difference(pictures, lambda picture: picture // np.uint8(2)) == pytest.approx(whole / 2, rel=0.1)
    assert noise_difference(pictures, lambda picture: np.zeros_like(picture)) == 0.0


def test_a_live_run_steadies_noise() -> None:
    """What is left is a part of it, and nothing of what a style does not draw."""
    pictures = [np.full((96, 96, 3), 128, np.uint8)]
    whole, live = (noise_difference(pictures, lambda picture: picture, live=live) for live in (False, True))
    assert 0 < live < whole / 2
    assert noise_difference(pictures, lambda picture: np.zeros_like(picture), live=True) == 0.0
