"""What a colour table can learn, and what it cannot."""

from __future__ import annotations

import numpy as np
import pytest

from livefilter.frame import Image
from tools.quality.colour_table import ColourTable


def photo(seed: int) -> Image:
    """A picture with every colour."""
    return np.random.default_rng(seed).integers(0, 256, (64, 64, 3), dtype=np.uint8)


def warmed(picture: Image) -> Image:
    """A change of colour that looks at nothing but the colour."""
    blue, green, red = np.moveaxis(picture.astype(np.float64), 2, 0)
    return np.asarray(
        np.stack([blue * 0.7, green * 0.9 + 5, np.minimum(red * 0.8 + blue * 0.1 + 20, 255)], 2), np.uint8
    )


def test_a_change_of_colour_is_learnt() -> None:
    """On another picture the table comes within two levels of the true change."""
    table = ColourTable([(photo(seed), warmed(photo(seed))) for seed in range(3)])
    assert np.abs(table(photo(9)).astype(int) - warmed(photo(9))).mean() < 2.0


def test_nothing_to_learn_changes_nothing() -> None:
    """Pictures that stay the same make a table that does nothing."""
    table = ColourTable([(photo(0), photo(0))])
    np.testing.assert_array_equal(table(photo(1)), photo(1))


def test_a_change_of_shape_cannot_be_learnt() -> None:
    """A mirror image has the same colours elsewhere: the table does not come closer than the mean."""
    seen = np.asarray(photo(2) // 64 * 64, np.uint8)
    wanted = np.ascontiguousarray(seen[:, ::-1])
    drawn = ColourTable([(seen, wanted)])(seen).astype(float)
    assert np.sqrt(np.mean((drawn - wanted) ** 2)) > 0.8 * wanted.std()


def test_colours_that_were_not_seen_follow_their_neighbours() -> None:
    """A table fitted to dark colours goes on smoothly to those a little brighter."""
    dark = np.asarray(photo(3) // 2, np.uint8)
    table = ColourTable([(dark, dark + np.uint8(20))])
    brighter = np.full((4, 4, 3), 140, np.uint8)
    assert table(brighter).mean() == pytest.approx(160, abs=4)
