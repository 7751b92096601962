"""Photos, the cache of the teacher's drawings, and batches."""

from __future__ import annotations

import os
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("tqdm")
pytest.importorskip("onnx")

from livefilter.errors import InvalidInput
from livefilter.frame import Image
from livefilter.training.artist import PublishedDrawings, TeacherArtist
from livefilter.training.background import in_background
from livefilter.training.data import (
    Lesson,
    Pair,
    Scale,
    is_held_out,
    list_photos,
    load_pairs,
    precompute,
    prepare,
    scaled,
)
from livefilter.training.degradation import NOISE, Degradation
from livefilter.training.sampler import LARGEST_SHIFT, Batch, Sampler
from livefilter.training.target import Finish, finished, in_palette, palette_of, recoloured, with_greys
from livefilter.training.teacher import Teacher


def photo(height: int = 128, width: int = 160) -> Image:
    """Coloured blocks, uint8 BGR."""
    blocks = np.random.default_rng(0).integers(40, 216, (height // 16, width // 16, 3), dtype=np.uint8)
    return blocks.repeat(16, axis=0).repeat(16, axis=1)


def test_the_teacher_is_given_rgb_and_gives_bgr(teacher: Path) -> None:
    """What the teacher makes comes back as bytes in the order that went in."""
    picture = photo()
    assert np.abs(Teacher(teacher).draw(picture).astype(int) - (255 - picture)).max() <= 1


def test_a_pair_is_computed_once(teacher: Path, tmp_path: Path) -> None:
    """A second run reads the cache and asks the teacher for nothing."""
    photos = tmp_path / "photos"
    photos.mkdir()
    cv2.imwrite(str(photos / "one.png"), photo())
    files = list_photos(photos)
    precompute(files, TeacherArtist(Teacher(teacher), Finish()), tmp_path / "cache", [Scale(96, 64)])
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "cache").iterdir()}
    precompute(files, TeacherArtist(Teacher(teacher), Finish()), tmp_path / "cache", [Scale(96, 64)])
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / "cache").iterdir()} == before
    (pair,) = load_pairs(files, tmp_path / "cache", [Scale(96, 64)])
    assert pair.photo.shape == pair.drawing.shape == pair.target.shape == (64, 96, 3)


def test_bad_folders_and_files_are_named(tmp_path: Path) -> None:
    """A missing folder, an empty one, a missing teacher and a damaged one each get one clear line."""
    with pytest.raises(InvalidInput, match="does not exist"):
        list_photos(tmp_path / "nowhere")
    with pytest.raises(InvalidInput, match="holds no picture"):
        list_photos(tmp_path)
    with pytest.raises(InvalidInput, match="does not exist"):
        Teacher(tmp_path / "nothing.onnx")
    (tmp_path / "broken.onnx").write_bytes(b"no network")
    with pytest.raises(InvalidInput, match="cannot be loaded"):
        Teacher(tmp_path / "broken.onnx")
    with pytest.raises(InvalidInput, match=r"lacks gone\.png"):
        load_pairs([tmp_path / "gone.png"], tmp_path, [Scale(96, 96)])


def test_a_photo_is_held_out_by_its_name_alone() -> None:
    """About one name in nineteen is held out, always the same ones."""
    names = [f"photo_{index}.jpg" for index in range(1900)]
    held_out = [name for name in names if is_held_out(name)]
    assert 60 < len(held_out) < 140
    assert held_out == [name for name in names if is_held_out(name)]


def test_sizes_suit_the_teacher() -> None:
    """Scaled photos have sides that are multiples of 32 and keep their proportions, nearly."""
    assert scaled(photo(480, 640), 512).shape == (384, 512, 3)
    assert scaled(photo(160, 16), 64).shape == (64, 32, 3)


def test_a_scale_is_read_from_text() -> None:
    """One number is the size of both pictures; a second one is what the teacher sees."""
    assert Scale.parse("640") == Scale(640, 640)
    assert Scale.parse("768:512") == Scale(768, 512)
    with pytest.raises(InvalidInput, match="wide"):
        Scale.parse("wide")


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("workers", [0, 2])
def test_the_same_step_gives_the_same_batch(workers: int) -> None:
    """A batch depends on the seed and the step alone, here, in a thread, and in other processes.

    OpenCV has threads by then, which a fork has not.
    """
    picture = photo()
    cv2.setNumThreads(2)
    cv2.GaussianBlur(np.zeros((2000, 2000, 3), np.uint8), (0, 0), 4.0)
    sampler = Sampler([Pair("one", picture, picture, picture)], crop=64, batch=4, repeats=2)
    made = list(in_background(sampler, 7, 20, workers))
    assert len(made) == 13
    for step, again in enumerate(made, 7):
        np.testing.assert_array_equal(sampler.batch(step).seen, again.seen)
        np.testing.assert_array_equal(sampler.batch(step).targets, again.targets)
    assert made[0].seen.shape == made[0].targets.shape == (4, 64, 64, 3)
    assert not np.array_equal(made[0].targets, made[1].targets)


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("workers", [0, 1])
def test_batches_that_nobody_wants_are_not_made(workers: int, tmp_path: Path) -> None:
    """A run that ends early takes the batches that were begun with it, and begins none of those that waited."""

    class Noting(Sampler):
        def batch(self, step: int) -> Batch:
            (tmp_path / str(step)).touch()
            time.sleep(0.5 if step else 0.0)
            return super().batch(step)

    picture = photo()
    batches = in_background(Noting([Pair("one", picture, picture, picture)], 64, batch=4), 0, 1000, workers)
    next(batches)
    batches.close()
    assert 1 <= len(list(tmp_path.iterdir())) <= 3 + 2 * workers


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_process_that_dies_is_said() -> None:
    """Not waited for, as for a batch that takes long; and what to do is said."""

    class Dying(Sampler):
        def batch(self, step: int) -> Batch:
            os._exit(1)

    picture = photo()
    with pytest.raises(InvalidInput, match="fewer --workers"):
        next(in_background(Dying([Pair("one", picture, picture, picture)], 64, batch=4), 0, 10, workers=1))


def test_repeats_show_the_same_place_moved() -> None:
    """The last rows of a batch are the first ones, moved by the shifts that it names."""
    picture = photo()
    batch = Sampler([Pair("one", picture, picture, picture)], crop=64, batch=4, repeats=2).batch(3)
    for row, (down, right) in enumerate(batch.shifts):
        assert 0 <= down <= LARGEST_SHIFT
        here = batch.targets[row][down:, right:]
        there = batch.targets[2 + row][: 64 - down, : 64 - right]
        np.testing.assert_array_equal(here, there)


def test_photos_smaller_than_a_crop_are_refused() -> None:
    """A crop that fits no photo is an error that says which size is needed."""
    picture = photo(32, 32)
    with pytest.raises(InvalidInput, match="72 pixels"):
        Sampler([Pair("one", picture, picture, picture)], crop=64, batch=4)


def test_a_degradation_keeps_all_but_its_noise() -> None:
    """Noise is fresh each time and as strong as it says; a picture that is to be noisy stays as soft as it was."""
    grey, random = np.full((128, 128, 3), 128, np.uint8), np.random.default_rng(0)
    assert (Degradation(0.0, 0.0, 0).of(grey, random) == grey).all()
    noisy = Degradation(0.0, 6.0, 0)
    first, second = noisy.of(grey, random), noisy.of(grey, random)
    assert (first != second).any()
    assert abs(float(first.std()) - 6.0) < 0.5
    soft = Degradation(0.8, 0.0, 60).noisier(random)
    assert (soft.softness, soft.quality) == (0.8, 60)
    assert NOISE[0] <= soft.noise <= NOISE[1]
    assert noisy.noisier(random) == noisy


def test_the_drawing_is_the_target_unless_a_style_says_otherwise() -> None:
    """Without a finish nothing is changed."""
    drawing = photo()
    assert (finished(drawing, 255 - drawing, Finish()) == drawing).all()


def test_grey_areas_stay_grey_and_colours_take_the_drawing_s() -> None:
    """A yellow-green cast goes from a grey wall, however bright it is drawn, and stays on what has a colour."""
    photo = np.full((64, 128, 3), 180, np.uint8)
    photo[:, 64:] = 40, 40, 200
    drawing = photo.copy()
    drawing[:, :64] = 190, 215, 210
    drawing[:, 64:] = 30, 90, 230
    target = with_greys(drawing, photo)
    wall = target[32, 20].astype(int)
    assert wall.max() - wall.min() <= 2
    assert 195 < wall.mean() < 215
    assert np.abs(target[32, 100].astype(int) - drawing[32, 100]).max() <= 1


def test_a_teacher_of_one_size_draws_smaller_pictures_too(teacher: Path, tmp_path: Path) -> None:
    """The margin that fills its size is cut off again; a picture that is too large is refused."""
    onnx = pytest.importorskip("onnx")
    network = onnx.load(teacher)
    for value in (network.graph.input[0], network.graph.output[0]):
        for dimension, side in zip(value.type.tensor_type.shape.dim[1:3], (128, 160), strict=True):
            dimension.dim_value = side
    onnx.save(network, tmp_path / "fixed.onnx")
    fixed = Teacher(tmp_path / "fixed.onnx")
    small = photo(96, 64)
    assert np.abs(fixed.draw(small).astype(int) - (255 - small)).max() <= 1
    with pytest.raises(InvalidInput, match="160x128"):
        fixed.draw(photo(160, 160))


def test_published_drawings_are_found_by_name(tmp_path: Path) -> None:
    """A drawing belongs to the photo of its name, whatever its suffix and size; a missing one is named."""
    cv2.imwrite(str(tmp_path / "1.png"), photo(64, 80))
    drawings = PublishedDrawings(tmp_path, Finish())
    assert drawings.draw(Path("elsewhere/1.jpg"), photo()).shape == (128, 160, 3)
    with pytest.raises(InvalidInput, match=r"no drawing of 2\.jpg"):
        drawings.draw(Path("2.jpg"), photo())
    with pytest.raises(InvalidInput, match="does not exist"):
        PublishedDrawings(tmp_path / "nowhere", Finish())


def test_a_small_folder_is_seen_as_often_as_a_large_one(tmp_path: Path) -> None:
    """Of two lessons of different sizes each gives about half of the pairs, and what is held out is not repeated."""
    names = [f"photo{index}.png" for index in range(1000)]
    held_out = [name for name in names if is_held_out(name)]
    others = [name for name in names if not is_held_out(name)]
    lessons = []
    for folder, count in ((tmp_path / "few", 1), (tmp_path / "many", 5)):
        folder.mkdir()
        for name in (held_out[0], *others[:count]):
            cv2.imwrite(str(folder / name), photo())
        lessons.append(Lesson(folder, PublishedDrawings(folder, Finish())))
    seen, kept = prepare(lessons, tmp_path / "cache", [Scale(96, 96), Scale(640, 640)])
    assert [len(seen), len(kept)] == [2 * (3 + 5), 2 * 2]
    assert max(max(pair.photo.shape) for pair in seen) == 160  # what was published is never enlarged


def test_a_recoloured_drawing_keeps_its_light_and_takes_the_photo_s_hues() -> None:
    """A drawing with a green cast on a white wall becomes white again, as bright as it was drawn."""
    wall = np.full((64, 64, 3), 200, np.uint8)
    cast = np.full((64, 64, 3), (170, 210, 180), np.uint8)
    back = recoloured(cast, wall)
    assert int(np.ptp(back[32, 32])) <= 2
    brightness = cv2.cvtColor(cast, cv2.COLOR_BGR2LAB)[32, 32, 0], cv2.cvtColor(back, cv2.COLOR_BGR2LAB)[32, 32, 0]
    assert abs(int(brightness[0]) - int(brightness[1])) <= 2


def test_a_palette_is_what_the_drawings_did_to_the_colours() -> None:
    """Where drawings only changed colours by an affine map, that map is found again."""
    picture = photo()
    warmer = np.asarray(np.rint(picture * np.array([0.6, 0.9, 0.8]) + [10, 12, 40]), np.uint8)
    assert np.abs(in_palette(picture, palette_of([(picture, warmer)])).astype(int) - warmer).max() <= 2
