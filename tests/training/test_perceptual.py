"""The network by whose features drawings are compared."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from livefilter.errors import InvalidInput  # noqa: E402
from livefilter.training.perceptual import (  # noqa: E402
    COMPARED,
    HALVING,
    MobileFeatures,
    perceptual_loss,
    read_features,
)
from tests.training.mobile import CHANNELS, weights, write_keras  # noqa: E402


@pytest.fixture
def features() -> MobileFeatures:
    """The thin network."""
    return MobileFeatures(weights())


def test_features_are_given_at_a_quarter_an_eighth_and_a_sixteenth(features: MobileFeatures) -> None:
    """One level for each of the compared blocks."""
    levels = features(torch.rand(2, 3, 64, 96) * 2 - 1)
    assert len(HALVING) + 1 == 4
    assert [tuple(each.shape) for each in levels] == [(2, CHANNELS, 64 // n, 96 // n) for n in (4, 8, 16)]
    assert len(levels) == len(COMPARED)


def test_the_first_layer_is_the_one_that_keras_has() -> None:
    """Its window ends beyond the right and lower border, red comes first, and the normalisation is folded into it."""
    values = weights()
    values["Conv1/kernel"] = np.zeros((3, 3, 3, CHANNELS), np.float32)
    values["Conv1/kernel"][0, 0, 0, 0] = 1.0  # red of the upper left pixel
    values["bn_Conv1/gamma"][0], values["bn_Conv1/beta"][0] = 2.0, 0.5
    values["bn_Conv1/moving_mean"][0], values["bn_Conv1/moving_variance"][0] = 0.25, 1.0 - 1e-3
    red = torch.rand(1, 16, 16)
    picture = torch.zeros(1, 3, 16, 16)
    picture[:, 2] = red * 2 - 1
    found = MobileFeatures(values)._halved("first", picture.flip(1) * 0.5 + 0.5)
    torch.testing.assert_close(found[:, 0], 2.0 * (red[:, ::2, ::2] - 0.25) + 0.5)


def test_what_differs_more_costs_more(features: MobileFeatures) -> None:
    """Nothing where drawings are alike; and the way back to the drawing is open."""
    torch.manual_seed(0)
    target = torch.rand(1, 3, 32, 32) * 2 - 1
    drawn = (target + 0.1 * torch.randn_like(target)).requires_grad_()
    near, far = perceptual_loss(features, drawn, target), perceptual_loss(features, -target, target)
    assert perceptual_loss(features, target, target).item() == 0.0
    assert 0.0 < near.item() < far.item()
    near.backward()  # type: ignore[no-untyped-call]
    assert drawn.grad is not None
    assert float(drawn.grad.abs().sum()) > 0.0
    assert not any(value.requires_grad for value in features.buffers())


def test_a_file_of_keras_is_read(tmp_path: Path, features: MobileFeatures) -> None:
    """With all that it needs, and no more."""
    read = read_features(write_keras(tmp_path / "thin.h5", weights()))
    picture = torch.rand(1, 3, 32, 32)
    for one, other in zip(read(picture), features(picture), strict=True):
        torch.testing.assert_close(one, other)


def test_another_file_is_refused(tmp_path: Path) -> None:
    """By its name: one that is none of Keras's, one that lacks a layer, one that is not there."""
    pytest.importorskip("h5py")
    (tmp_path / "text.h5").write_text("not HDF5")
    lacking = weights()
    del lacking["block_3_expand/kernel"]
    for path in (tmp_path / "text.h5", write_keras(tmp_path / "lacking.h5", lacking), tmp_path / "gone.h5"):
        with pytest.raises(InvalidInput, match=rf"{path.name}.*--perceptual"):
            read_features(path)
