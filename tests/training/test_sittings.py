"""Pairs that are drawn, and seen, at the size of their faces; who is in a photo; strengths."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("tqdm")
pytest.importorskip("torch")

from livefilter.errors import InvalidInput
from livefilter.frame import Image
from livefilter.training import sittings
from livefilter.training.chain import ChainArtist
from livefilter.training.data import Pair, is_held_out
from livefilter.training.people import Face, People
from livefilter.training.sampler import STRENGTHS, Sampler, bold


def negative(picture: Image) -> Image:
    """A generator that is easily told from a photo."""
    return np.asarray(255 - picture, np.uint8)


def noise(height: int, width: int) -> Image:
    """A picture full of contrast, uint8 BGR."""
    blocks = np.random.default_rng(0).integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8)
    return blocks.repeat(8, axis=0).repeat(8, axis=1)


@pytest.fixture
def people(tmp_path: Path) -> People:
    """Two photos are known: one with a wide face and a mask, one with a small face in it."""
    folder = tmp_path / "people"
    folder.mkdir()
    faces = {
        "near.png": [{"left": 100, "top": 100, "side": 320, "passes": 1}],
        "far.png": [{"left": 100, "top": 60, "side": 40, "passes": 2}],
    }
    (folder / "faces.json").write_text(json.dumps(faces), encoding="utf-8")
    cv2.imwrite(str(folder / "near.png"), np.full((640, 640), 200, np.uint8))
    return People(folder)


def test_who_is_in_a_photo_is_read(people: People, tmp_path: Path) -> None:
    """Faces and masks are found by the photo's name; of a photo that is not known there are none."""
    assert people.faces("near.png") == (Face(100, 100, 320, 1),)
    assert people.faces("other.png") == ()
    mask = people.mask("near.png", 32, 16)
    assert mask is not None
    assert mask.shape == (16, 32)
    assert (mask == 200).all()
    assert people.mask("far.png", 32, 16) is None
    assert people.skin("near.png", 32, 16) is None
    cv2.imwrite(str(tmp_path / "people" / "near-skin.png"), np.full((640, 640), 100, np.uint8))
    skin = people.skin("near.png", 32, 16)
    assert skin is not None
    assert (skin.shape, skin.min(), skin.max()) == ((16, 32), 100, 100)
    with pytest.raises(InvalidInput, match=r"tools/people\.py"):
        People(tmp_path / "nowhere")


def test_photos_are_drawn_at_the_size_of_their_faces(people: People, tmp_path: Path) -> None:
    """The widest face of a pair is 160 pixels wide, its place is known, and what was drawn is not drawn again."""
    photo = tmp_path / "near.png"
    cv2.imwrite(str(photo), noise(640, 640))
    artist = ChainArtist([{"do": "teacher", "name": "negative", "passes": 3}], {"negative": negative})
    sittings.precompute([photo], artist, people, tmp_path / "cache")
    (pair,) = sittings.load([photo], people, tmp_path / "cache")
    assert pair.photo.shape == pair.target.shape == (320, 320, 3)
    (face,) = pair.faces
    assert face.side == 160
    # Drawn once instead of three times, for an eye is shut.
    assert np.abs(pair.target.astype(int) - negative(pair.photo)).max() <= 1
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "cache").iterdir()}
    sittings.precompute([photo], artist, people, tmp_path / "cache")
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / "cache").iterdir()} == before
    with pytest.raises(InvalidInput, match=r"lacks far\.png"):
        sittings.load([tmp_path / "far.png"], people, tmp_path / "cache")


def test_a_small_face_is_drawn_enlarged(people: People, tmp_path: Path) -> None:
    """The chain gets a face of 40 pixels a second time, larger; what is far from it stays."""
    seen: list[tuple[int, int]] = []

    def noting(picture: Image) -> Image:
        seen.append(picture.shape[:2])
        return np.full_like(picture, 250 if len(seen) == 1 else 10)

    photo = tmp_path / "far.png"
    cv2.imwrite(str(photo), noise(640, 640))
    sittings.precompute([photo], ChainArtist([{"do": "teacher", "name": "n"}], {"n": noting}), people, tmp_path / "c")
    drawing = cv2.imread(str(tmp_path / "c" / "far-target.png"))
    assert drawing is not None
    assert seen[0] == (640, 640)
    assert max(seen[1]) > 200
    assert drawing[80, 120].max() < 20
    assert drawing[400, 500].min() > 240


def test_a_face_without_contrast_is_drawn_from_a_clearer_picture(people: People, tmp_path: Path) -> None:
    """Generators see no eyes in a face that is grey in grey; only around the face the picture is made clearer."""
    given: list[Image] = []

    def noting(picture: Image) -> Image:
        given.append(picture.copy())
        return picture

    grey = np.asarray(90 + noise(640, 640) // 32, np.uint8)
    photo = tmp_path / "near.png"
    cv2.imwrite(str(photo), grey)
    sittings.precompute([photo], ChainArtist([{"do": "teacher", "name": "n"}], {"n": noting}), people, tmp_path / "c")
    assert (tmp_path / "c" / "near-mild.png").exists()  # its name is one of those that are drawn at half strength too
    assert len(given) == 2
    for clear in given:
        middle, corner = clear[110:150, 110:150], clear[-30:, -30:]
        assert middle.mean() > corner.mean() + 30
        assert abs(float(corner.mean()) - 94) < 3


@pytest.mark.parametrize(("careful", "times"), [(1, 2), (4, 1)])
def test_shut_eyes_are_seen_twice_where_they_are_rare(careful: int, times: int, tmp_path: Path) -> None:
    """One photo of eight that asks for care is there twice, four of eight once; what is held out stays apart."""
    names = [f"{number}.png" for number in range(200)]
    seen, kept = [name for name in names if not is_held_out(name)][:8], next(filter(is_held_out, names))
    faces = {name: [{"left": 10, "top": 10, "side": 40, "passes": 1 if name in seen[:careful] else 2}] for name in seen}
    (tmp_path / "faces.json").write_text(json.dumps(faces), encoding="utf-8")
    photos = [tmp_path / name for name in (*seen, kept)]
    for photo in photos:
        cv2.imwrite(str(photo), noise(64, 64))
    artist = ChainArtist([{"do": "teacher", "name": "n"}], {"n": lambda picture: picture})
    pairs, held = sittings.prepare(photos, artist, People(tmp_path), tmp_path / "c")
    assert [pair.name for pair in held] == [kept]
    counts = {name: sum(pair.name == name for pair in pairs) for name in seen}
    assert counts == {name: times if name in seen[:careful] else 1 for name in seen}


def test_drawings_that_lost_a_face_are_not_learned_from(tmp_path: Path) -> None:
    """What the cache's list names is passed over, held out or not; a list that cannot be read is an error."""
    names = [f"{number}.png" for number in range(200)]
    seen, kept = [name for name in names if not is_held_out(name)][:3], next(filter(is_held_out, names))
    photos = [tmp_path / name for name in (*seen, kept)]
    for photo in photos:
        cv2.imwrite(str(photo), noise(64, 64))
    (tmp_path / "faces.json").write_text("{}", encoding="utf-8")
    artist = ChainArtist([{"do": "teacher", "name": "n"}], {"n": lambda picture: picture})
    cache = tmp_path / "c"
    cache.mkdir()
    (cache / "looked.json").write_text(json.dumps({seen[0]: False, seen[1]: True}), encoding="utf-8")
    pairs, held = sittings.prepare(photos, artist, People(tmp_path), cache)
    assert [pair.name for pair in pairs] == [seen[0], seen[2]]
    assert [pair.name for pair in held] == [kept]
    (cache / "looked.json").write_text("[", encoding="utf-8")
    with pytest.raises(InvalidInput, match=r"drawn_faces\.py"):
        sittings.prepare(photos, artist, People(tmp_path), cache)


def test_lines_that_a_photo_lacks_leave_the_skin_of_faces(people: People, tmp_path: Path) -> None:
    """Of drawings and milder ones, where tools/people.py says that skin is; elsewhere they stay."""
    photo = tmp_path / "near.png"
    cv2.imwrite(str(photo), np.full((640, 640, 3), 180, np.uint8))
    skin = np.zeros((640, 640), np.uint8)
    skin[140:380, 140:380] = 255
    cv2.imwrite(str(tmp_path / "people" / "near-skin.png"), skin)

    def lined(picture: Image) -> Image:
        drawing = picture.copy()
        drawing[:, 128:132] = 20
        return drawing

    sittings.precompute([photo], ChainArtist([{"do": "teacher", "name": "n"}], {"n": lined}), people, tmp_path / "c")
    for kind in ("target", "mild"):
        drawing = cv2.imread(str(tmp_path / "c" / f"near-{kind}.png"))
        assert drawing is not None
        assert drawing[90:170, 129].min() > 140
        assert drawing[:40, 129].max() < 110


def test_the_last_steps_see_the_whole_picture(people: People, tmp_path: Path) -> None:
    """They follow after a face was put into its own light, in full for the drawing and by half for the milder one."""
    photo = tmp_path / "near.png"
    cv2.imwrite(str(photo), np.asarray(90 + noise(640, 640) // 32, np.uint8))
    steps: list[dict[str, object]] = [{"do": "teacher", "name": "n"}]
    last: list[dict[str, object]] = [{"do": "lift", "amount": 1.0, "start": 0.0, "full": 1.0}]
    artist = ChainArtist(steps, {"n": lambda picture: picture}, last=last)
    sittings.precompute([photo], artist, people, tmp_path / "c")
    read = [cv2.imread(str(tmp_path / "c" / f"near-{kind}.png")) for kind in ("photo", "target", "mild")]
    before, drawing, mild = (picture.mean() for picture in read if picture is not None)
    assert drawing > 250
    assert abs(mild - (before + drawing) / 2) < 15
    assert artist.draw(photo, np.full((8, 8, 3), 90, np.uint8)).mean() > 250


def test_crops_show_faces_at_many_sizes_and_stay_in_step() -> None:
    """Most crops of a photo with a face show it, enlarged or made smaller, photo and target at the same place."""
    photo = np.zeros((400, 400, 3), np.uint8)
    photo[150:250, 150:250] = 255
    sampler = Sampler([Pair("one", photo, photo, photo, faces=(Face(150, 150, 100),))], crop=64, batch=4, repeats=0)
    widths = []
    for step in range(30):
        batch = sampler.batch(step)
        for seen, target in zip(batch.seen, batch.targets, strict=True):
            white = target[..., 0] > 100
            assert np.abs((seen[..., 0] > 100).astype(int) - white).mean() < 0.02
            widths.append(float(white.mean()))
    assert np.mean(np.array(widths) > 0.1) > 0.6
    assert max(widths) > 0.9
    assert min(width for width in widths if width) < 0.5


def test_small_faces_are_seen_and_eyes_are_found_in_every_crop() -> None:
    """A photo with a wide face shows it small as well, among its mirror images; eyes are where the photo has them."""
    photo = np.zeros((300, 300, 3), np.uint8)
    photo[60:240, 60:240] = 90
    photo[110:133, 138:161] = 255  # between the eyes
    sampler = Sampler([Pair("one", photo, photo, photo, faces=(Face(60, 60, 180),))], crop=96, batch=4, repeats=1)
    shares, met = [], 0
    for step in range(60):
        batch = sampler.batch(step)
        for target, eyes in zip(batch.targets, batch.eyes, strict=True):
            assert eyes.shape == target.shape[:2]
            shares.append(float((target[..., 0] > 40).mean()))
            if eyes.max() > 0.995:
                met += 1
                assert target[..., 0].flat[eyes.argmax()] > 150
    assert met > 100
    assert min(share for share in shares if share) < 0.15
    scene = Sampler([Pair("one", photo, photo, photo)], crop=96, batch=4).batch(0)
    assert not scene.eyes.any()


def test_rows_for_the_discriminator_are_at_full_strength_and_others_at_any() -> None:
    """At strength 0 the photo is wanted, at 0.5 the milder drawing, at 1.5 a bolder one."""
    photo, target, mild = (np.full((128, 128, 3), level, np.uint8) for level in (40, 120, 80))
    wanted = {0.0: 40, 0.5: 80, 1.0: 120, 1.5: int(bold(target)[64, 64, 0])}
    sampler = Sampler([Pair("one", photo, target, target, mild=mild)], 64, batch=6, judged=2, strengths=True)
    met = set()
    for step in range(40):
        batch = sampler.batch(step)
        assert (batch.strengths[:2] == 1.0).all()
        assert batch.strengths[-1] == batch.strengths[0]  # it repeats the first row
        for strength, drawn in zip(batch.strengths, batch.targets, strict=True):
            met.add(float(strength))
            if strength != 1.0:
                assert abs(int(np.median(drawn)) - wanted[float(strength)]) < 60
    assert met == set(STRENGTHS)
    plain = Sampler([Pair("one", photo, target, target, mild=mild)], 64, batch=6).batch(0)
    assert (plain.strengths == 1.0).all()
