"""The network that finds people: its crops, its loss and its training."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("tqdm")
pytest.importorskip("torch")

import torch

from livefilter.errors import InvalidInput
from livefilter.training.data import is_held_out
from livefilter.training.people import People
from livefilter.training.person import SIDE, PersonSampler, Sitter, load, overlap, person_loss, train_person

NAMES = [f"{index}.png" for index in range(200)]
HELD_OUT = next(name for name in NAMES if is_held_out(name))
SEEN = next(name for name in NAMES if not is_held_out(name))


def sitter(name: str) -> Sitter:
    """A red person on the left half of a blue picture."""
    photo = np.full((200, 240, 3), (200, 40, 40), np.uint8)
    photo[:, :120] = 40, 40, 220
    mask = np.zeros((200, 240), np.uint8)
    mask[:, :120] = 255
    return Sitter(name, photo, mask)


def test_photos_without_a_face_show_nobody(tmp_path: Path) -> None:
    """A mask counts where a face was found; without any mask training is refused, and says what to run."""
    (tmp_path / "people").mkdir()
    photos = []
    for name in ("face.png", "cat.png"):
        photos.append(tmp_path / name)
        cv2.imwrite(str(photos[-1]), np.full((80, 100, 3), 90, np.uint8))
        cv2.imwrite(str(tmp_path / "people" / name), np.full((80, 100), 255, np.uint8))
    faces = {"face.png": [{"left": 1, "top": 1, "side": 40, "passes": 2}], "cat.png": []}
    (tmp_path / "people" / "faces.json").write_text(json.dumps(faces), encoding="utf-8")
    people = People(tmp_path / "people")
    assert [int(each.mask.max()) for each in load(photos, people)] == [255, 0]
    cv2.imwrite(str(tmp_path / "other.png"), np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(InvalidInput, match=r"tools/people\.py"):
        load([tmp_path / "other.png"], people)


def test_crops_and_their_masks_stay_in_step() -> None:
    """Red is the person wherever a crop was taken, and the same step gives the same batch."""
    sampler = PersonSampler([sitter(SEEN)], batch=4)
    seen, wanted = sampler.batch(3)
    again, _ = sampler.batch(3)
    np.testing.assert_array_equal(seen, again)
    assert seen.shape == (4, SIDE, SIDE, 3)
    red = seen[..., 2].astype(int) - seen[..., 0] > 0
    assert (red == (wanted > 127)).mean() > 0.95


def test_the_loss_is_least_for_the_mask_itself() -> None:
    """Logits of the wanted mask cost next to nothing, those of its opposite much."""
    wanted = torch.zeros(1, 1, 32, 32)
    wanted[..., :16] = 1.0
    logits = torch.where(torch.nn.functional.avg_pool2d(wanted, 2) > 0.5, 20.0, -20.0)
    assert float(person_loss(logits, wanted)) < 0.01
    assert float(person_loss(-logits, wanted)) > 10.0


def test_a_person_is_learnt_and_found_in_a_photo_held_out() -> None:
    """Red people are found after some steps, and not before."""
    sitters = [sitter(SEEN), sitter(HELD_OUT)]
    before = overlap(train_person(sitters, 1, batch=2), sitters)
    after = overlap(train_person(sitters, 80, batch=2), sitters)
    assert after["photos"] == 1
    assert after["iou"] > max(0.9, before["iou"])
