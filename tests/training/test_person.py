"""The network that finds people: its crops, its loss and its training."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("tqdm")
pytest.importorskip("torch")

import torch
from click.testing import CliRunner

from livefilter.cli.train import train
from livefilter.errors import InvalidInput
from livefilter.training.data import is_held_out
from livefilter.training.people import People
from livefilter.training.person import (
    SHAPES,
    PersonSampler,
    Sitter,
    drawn,
    load,
    load_network,
    overlap,
    person_loss,
    save_network,
    train_person,
)

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


def folders(tmp_path: Path) -> list[str]:
    """Options that name a folder of two photos, one of them held out, and one of what was written of them."""
    photos, people = tmp_path / "photos", tmp_path / "people"
    photos.mkdir()
    people.mkdir()
    for name in (SEEN, HELD_OUT):
        cv2.imwrite(str(photos / name), sitter(name).photo)
        cv2.imwrite(str(people / name), sitter(name).mask)
    faces = {name: [{"left": 1, "top": 1, "side": 60, "passes": 2}] for name in (SEEN, HELD_OUT)}
    (people / "faces.json").write_text(json.dumps(faces), encoding="utf-8")
    return ["--photos", str(photos), "--people", str(people)]


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
    assert [each.near for each in load(photos, people)] == [True, False]
    cv2.imwrite(str(tmp_path / "other.png"), np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(InvalidInput, match=r"tools/people\.py"):
        load([tmp_path / "other.png"], people)


def test_crops_and_their_masks_stay_in_step() -> None:
    """Red is the person wherever a crop was taken, and the same step gives the same batch."""
    sampler = PersonSampler([sitter(SEEN)], batch=4)
    for step, (width, height) in enumerate(SHAPES):
        seen, wanted = sampler.batch(step)
        again, _ = sampler.batch(step)
        np.testing.assert_array_equal(seen, again)
        assert seen.shape == (4, height, width, 3)
        red = seen[..., 2].astype(int) - seen[..., 0] > 0
        assert (red == (wanted > 127)).mean() > 0.95


def test_people_are_looked_for_in_drawings_too(tmp_path: Path) -> None:
    """Those of the photos that are learned from, at their size, with their masks; a folder without any is refused."""
    for name in (SEEN, HELD_OUT):
        cv2.imwrite(str(tmp_path / f"{Path(name).stem}-target.png"), np.full((100, 120, 3), 77, np.uint8))
    (found,) = drawn([sitter(SEEN), sitter(HELD_OUT), sitter("not drawn.png")], tmp_path)
    assert found.name == SEEN
    assert found.photo.shape == (200, 240, 3)
    assert (found.photo == 77).all()
    np.testing.assert_array_equal(found.mask, sitter(SEEN).mask)
    with pytest.raises(InvalidInput, match="draw-only"):
        drawn([sitter(HELD_OUT)], tmp_path)


def test_somebody_near_is_drawn_twice_as_often() -> None:
    """Of a near and a far one of three pictures each, two thirds are of the near ones."""
    near = [replace(sitter(f"near{index}.png"), near=True) for index in range(3)]
    sampler = PersonSampler([*near, *(sitter(f"far{index}.png") for index in range(3))], batch=1)
    assert [each.near for each in sampler._sitters].count(True) == 6
    assert len(sampler._sitters) == 9


def test_the_loss_is_least_for_the_mask_itself() -> None:
    """Logits of the wanted mask cost next to nothing, those of its opposite much."""
    wanted = torch.zeros(1, 1, 32, 32)
    wanted[..., :16] = 1.0
    logits = torch.where(torch.nn.functional.avg_pool2d(wanted, 2) > 0.5, 20.0, -20.0)
    assert float(person_loss(logits, wanted)) < 0.01
    assert float(person_loss(-logits, wanted)) > 10.0


def test_a_training_goes_on_from_what_was_kept(tmp_path: Path) -> None:
    """The file gives the same network back; another file is refused with what it should be."""
    network = train_person([sitter(SEEN)], 2, batch=2)
    save_network(network, tmp_path / "person.pt")
    again = load_network(tmp_path / "person.pt")
    assert again.design == network.design
    assert all(torch.equal(one, other) for one, other in zip(again.parameters(), network.parameters(), strict=True))
    further = train_person([sitter(SEEN)], 1, batch=2, start=again)
    assert not torch.equal(further.head.weight, network.head.weight)
    assert float((further.head.weight - network.head.weight).detach().abs().mean()) < 0.05
    train_person([sitter(SEEN)], 1, batch=2, start=further)  # what training returned serves as well
    (tmp_path / "other.pt").write_bytes(b"x")
    with pytest.raises(InvalidInput, match=r"person\.pt"):
        load_network(tmp_path / "other.pt")


def test_a_person_is_learnt_and_found_in_a_photo_held_out() -> None:
    """Red people are found after some steps, and not before."""
    sitters = [sitter(SEEN), sitter(HELD_OUT)]
    before = overlap(train_person(sitters, 1, batch=2), sitters)
    after = overlap(train_person(sitters, 160, batch=2), sitters)
    assert after["photos"] == 1
    assert after["iou"] > max(0.9, before["iou"])


def test_one_command_writes_a_network_with_its_checksum(tmp_path: Path) -> None:
    """From photos, masks and drawings, and what a later run goes on from; a folder without drawings is named."""
    cache = tmp_path / "cache"
    cache.mkdir()
    asked = ["person", *folders(tmp_path), "--out", str(tmp_path / "out"), "--drawings", str(cache)]
    asked += ["--steps", "1", "--batch", "2"]
    with pytest.raises(InvalidInput, match="cache has no drawings"):
        CliRunner().invoke(train, asked, catch_exceptions=False)
    cv2.imwrite(str(cache / f"{Path(SEEN).stem}-target.png"), sitter(SEEN).photo)
    assert CliRunner().invoke(train, asked, catch_exceptions=False).exit_code == 0
    written = (tmp_path / "out" / "lite.sha256").read_text(encoding="ascii").split()[0]
    assert written == hashlib.sha256((tmp_path / "out" / "lite.onnx").read_bytes()).hexdigest()
    load_network(tmp_path / "out" / "person.pt")
