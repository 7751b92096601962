"""The bundled style `hayao`."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import onnxruntime
import pytest

import livefilter
from livefilter.toml import tomllib

FOLDER = Path(livefilter.__file__).parent / "styles" / "hayao"


@pytest.fixture(scope="module")
def session() -> onnxruntime.InferenceSession:
    """The bundled network."""
    return onnxruntime.InferenceSession(str(FOLDER / "lite.onnx"), providers=["CPUExecutionProvider"])


def draw(session: onnxruntime.InferenceSession, frame: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Style one frame at full strength."""
    inputs: dict[str, npt.NDArray[np.generic]] = {"frame": frame[None]}
    if len(session.get_inputs()) > 1:
        inputs["strength"] = np.ones((1, frame.shape[0] // 2, frame.shape[1] // 2, 1), np.float32)
    return np.asarray(session.run(["styled"], inputs)[0][0], dtype=np.uint8)


def disc() -> npt.NDArray[np.uint8]:
    """A soft-edged disc, a little darker than the wall behind it."""
    frame = np.full((160, 160, 3), (170, 175, 180), np.uint8)
    cv2.circle(frame, (80, 80), 40, (120, 140, 185), -1)
    return np.asarray(cv2.GaussianBlur(frame, (0, 0), 1.0), dtype=np.uint8)


def test_the_card_names_the_network() -> None:
    """The checksum on the card is that of the file, and the file is small."""
    card = tomllib.loads((FOLDER / "card.toml").read_text(encoding="utf-8"))
    data = (FOLDER / "lite.onnx").read_bytes()
    assert card["networks"]["lite"]["sha256"] == hashlib.sha256(data).hexdigest()
    assert len(data) < 1_200_000
    assert (FOLDER / card["picture"]).stat().st_size < 80_000


def test_it_draws_a_line_where_two_regions_meet(session: onnxruntime.InferenceSession) -> None:
    """Around a disc there is a line, darker than the disc and the wall; a network that does nothing has none."""
    frame = disc()
    grey = cv2.cvtColor(draw(session, frame), cv2.COLOR_BGR2GRAY)
    distance = np.hypot(*(np.indices(grey.shape) - 80))
    ring, inside = grey[(distance > 37) & (distance < 43)], grey[distance < 25]
    assert np.percentile(ring, 20) < np.median(inside) - 8


def test_it_does_not_redraw_noise(session: onnxruntime.InferenceSession) -> None:
    """On a wall the noise of a webcam comes out weaker than it went in."""
    wall = np.full((160, 160, 3), 150.0) + np.random.default_rng(0).normal(0, 6, (160, 160, 3))
    styled = draw(session, np.clip(wall, 0, 255).astype(np.uint8))
    assert styled[16:-16, 16:-16].std(axis=(0, 1)).max() < 4


def test_a_white_wall_stays_white(session: onnxruntime.InferenceSession) -> None:
    """A bright grey wall gets no strong colour cast."""
    styled = draw(session, np.full((96, 96, 3), 225, np.uint8))[16:-16, 16:-16].mean(axis=(0, 1))
    assert styled.max() - styled.min() < 16
    assert styled.min() > 190
