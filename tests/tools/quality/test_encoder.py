"""The encoder that is cut out of a teacher."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from livefilter.errors import InvalidInput
from livefilter.frame import Image

pytest.importorskip("onnx")

from tools.quality.encoder import Encoder


def photo(height: int, width: int) -> Image:
    """Random pixels."""
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_each_resolution_on_the_way_down_gives_its_last_activation(
    make_teacher: Callable[..., Path], tmp_path: Path
) -> None:
    """Two levels come before the enlargement; what is behind it is not asked."""
    encoder = Encoder(make_teacher(tmp_path / "teacher.onnx"))
    fine, coarse = encoder(photo(32, 64))
    assert encoder.levels == 2
    assert (fine.shape, coarse.shape) == ((1, 4, 32, 64), (1, 4, 16, 32))


def test_the_features_are_the_teachers_own(make_teacher: Callable[..., Path], tmp_path: Path) -> None:
    """They are what its first convolution and activation make of RGB from -1 to 1."""
    import onnx
    from onnx import numpy_helper

    path = make_teacher(tmp_path / "teacher.onnx")
    kernel = next(numpy_helper.to_array(each) for each in onnx.load(path).graph.initializer if each.name == "a")
    seen = photo(32, 32)
    values = seen[4:7, 9:12, ::-1].transpose(2, 0, 1).astype(np.float64) / 127.5 - 1
    summed = (kernel * values).sum((1, 2, 3))
    expected = np.where(summed > 0, summed, 0.01 * summed)
    np.testing.assert_allclose(Encoder(path)(seen)[0][0, :, 5, 10], expected, atol=1e-4)


def test_a_teacher_of_one_size_is_shown_that_size(make_teacher: Callable[..., Path], tmp_path: Path) -> None:
    """Smaller pictures get a margin of their mirror image; larger ones are refused."""
    encoder = Encoder(make_teacher(tmp_path / "teacher.onnx", side=64))
    fine = encoder(photo(32, 64))[0]
    assert fine.shape == (1, 4, 64, 64)
    np.testing.assert_array_equal(fine, encoder(np.vstack([photo(32, 64), photo(32, 64)[::-1]]))[0])
    with pytest.raises(InvalidInput, match="64x64 at most"):
        encoder(photo(32, 96))


def test_what_has_no_encoder_is_refused(tmp_path: Path) -> None:
    """A file that is no generator is named in the error."""
    (tmp_path / "broken.onnx").write_bytes(b"nothing")
    with pytest.raises(InvalidInput, match=r"broken\.onnx"):
        Encoder(tmp_path / "broken.onnx")
