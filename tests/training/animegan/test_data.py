"""Crops, decks, and the tool that takes edges away."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from livefilter.errors import InvalidInput
from livefilter.training.animegan.data import Deck, Decks
from livefilter.training.animegan.edges import smooth_edges, smooth_folder
from livefilter.training.animegan.pictures import as_grey_planes, as_picture, as_planes, shorter_side
from livefilter.training.animegan.samples import keep_out
from livefilter.training.data import list_photos
from tests.conftest import picture
from tests.training.animegan.conftest import CROP, Material


def decks(material: Material, seed: int = 0) -> Decks:
    """Two crops of each in a step."""
    folders = (material.photos, material.style, material.smooth)
    photo, anime, smooth = (Deck(list_photos(folder), CROP, seed, stream) for stream, folder in enumerate(folders))
    return Decks(photo, anime, smooth, 2)


def test_a_pass_shows_every_picture_once(material: Material) -> None:
    """Each pass is another order of all pictures."""
    deck = Deck(list_photos(material.photos), CROP, 0, 0)
    passes = [deck._shuffled(number) for number in range(4)]
    assert all(sorted(order) == list(range(6)) for order in passes)
    assert len({tuple(order) for order in passes}) > 1


def test_batches_depend_on_seed_and_step_only(material: Material) -> None:
    """A stream that starts later, or takes half of the rows, gives the same pictures."""
    whole = list(decks(material).stream(0, 3, 0, 2))
    late = list(decks(material).stream(2, 3, 0, 2))
    half = list(decks(material).stream(0, 3, 1, 2))
    other = list(decks(material, seed=1).stream(0, 3, 0, 2))
    for part in range(4):
        np.testing.assert_array_equal(whole[2][part], late[0][part])
        np.testing.assert_array_equal(whole[1][part][1:], half[1][part])
        assert not np.array_equal(whole[0][part], other[0][part])
    assert whole[0].photo.shape == (2, 3, CROP, CROP)


def test_grey_is_the_brightness_of_the_same_anime(material: Material) -> None:
    """Three equal planes that follow the coloured crop; the smoothed ones are grey too."""
    batch = next(decks(material).stream(0, 1, 0, 2))
    for grey in (batch.grey, batch.smooth):
        np.testing.assert_array_equal(grey[:, 0], grey[:, 1])
    red, green, blue = batch.anime.transpose(1, 0, 2, 3)
    assert np.abs(0.299 * red + 0.587 * green + 0.114 * blue - batch.grey[:, 0]).max() < 0.01
    assert not np.array_equal(batch.anime[:, 0], batch.anime[:, 2])


def test_an_unreadable_picture_ends_the_stream(tmp_path: Path, material: Material) -> None:
    """The error names the file, also from a reading thread."""
    (tmp_path / "broken.png").write_bytes(b"no picture")
    broken = Deck([tmp_path / "broken.png"], CROP, 0, 0)
    with pytest.raises(InvalidInput, match=r"broken.png is not a readable picture"):
        next(Decks(broken, broken, broken, 1).stream(0, 2, 0, 1))


def test_planes_are_rgb_and_come_back() -> None:
    """A picture survives the way to planes and back; red comes first."""
    image = picture(24, 16)
    planes = as_planes(image)
    np.testing.assert_array_equal(planes[0], image[:, :, 2].astype(np.float32) / np.float32(127.5) - 1)
    np.testing.assert_array_equal(as_picture(planes), image)
    assert as_grey_planes(image).shape == planes.shape


@pytest.mark.parametrize(("width", "height"), [(30, 90), (500, 33), (32, 32), (5, 7)])
def test_the_shorter_side_fits_the_crop(width: int, height: int) -> None:
    """Pictures of any size are scaled to it, with their proportions."""
    scaled = shorter_side(np.zeros((height, width, 3), np.uint8), 32)
    assert min(scaled.shape[:2]) == 32
    assert scaled.shape[0] / scaled.shape[1] == pytest.approx(height / width, rel=0.05)


def test_only_edges_are_smoothed() -> None:
    """Pixels next to an edge are blurred, those two and more away are not touched."""
    drawing = np.full((40, 40, 3), 230, np.uint8)
    drawing[:, 20:] = (40, 60, 90)
    smoothed = smooth_edges(drawing)
    changed = np.any(smoothed != drawing, axis=(0, 2))
    assert changed[19]
    assert changed[20]
    assert not changed[:17].any()
    assert not changed[23:].any()
    assert np.abs(np.diff(smoothed[20, :, 0].astype(int))).max() < 0.7 * 190


def test_the_tool_keeps_what_is_done(material: Material, tmp_path: Path) -> None:
    """A second call makes only what is missing, and the style's own folder is never written to."""
    out = tmp_path / "smooth"
    ticks: list[None] = []
    assert smooth_folder(material.style, out, CROP, lambda: ticks.append(None)) == 4 == len(ticks)
    first = sorted(out.iterdir())
    first[0].write_bytes(b"kept")
    first[1].unlink()
    smooth_folder(material.style, out, CROP, lambda: None)
    assert sorted(out.iterdir()) == first
    assert first[0].read_bytes() == b"kept"
    made = cv2.imread(str(first[1]))
    assert made is not None
    assert min(made.shape[:2]) == CROP
    with pytest.raises(InvalidInput, match="cannot go where"):
        smooth_folder(material.style, material.style, CROP, lambda: None)


def test_photos_for_sheets_are_kept_out_evenly() -> None:
    """Those kept and those seen are all photos, and no photo is both."""
    files = [Path(f"{number}.png") for number in range(10)]
    seen, kept = keep_out(files, 3)
    assert [file.stem for file in kept] == ["0", "3", "7"]
    assert sorted(seen + kept, key=lambda file: int(file.stem)) == files
    with pytest.raises(InvalidInput, match="--samples"):
        keep_out(files, 6)
