"""The judge learns on pictures made on the spot."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

pytest.importorskip("torch")

from livefilter.errors import InvalidInput
from livefilter.frame import Image
from tools.quality.judge.__main__ import judge
from tools.quality.judge.pictures import read_examples
from tools.quality.judge.scoring import Judge
from tools.quality.judge.views import SMALL, view


def drawn(seed: int) -> Image:
    """Flat shapes with dark outlines."""
    random = np.random.default_rng(seed)
    canvas = np.full((200, 220, 3), random.integers(120, 256, 3), np.uint8)
    for _ in range(6):
        middle, radius = random.integers(20, 200, 2).tolist(), int(random.integers(12, 45))
        cv2.circle(canvas, middle, radius, random.integers(60, 256, 3).tolist(), -1)
        cv2.circle(canvas, middle, radius, (20, 20, 20), 3)
    return canvas


def photographed(seed: int) -> Image:
    """Soft shades with grain."""
    random = np.random.default_rng(seed)
    soft = cv2.resize(random.integers(30, 230, (5, 5, 3), dtype=np.uint8), (220, 200), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(soft + random.normal(0, 12, soft.shape), 0, 255), np.uint8)


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """A folder of each class, with some whole sources to keep apart."""
    for name, make in (("drawn", drawn), ("photos", photographed)):
        (tmp_path / name).mkdir()
        for seed in range(24):
            source = "kept" if seed % 3 == 0 else "seen"
            cv2.imwrite(str(tmp_path / name / f"{source}_{seed}.png"), make(seed))
    return tmp_path


def options(folders: Path, steps: int) -> list[str]:
    """The command line of training."""
    kinds = {"drawn-faces": "drawn", "drawn-scenes": "drawn", "photo-faces": "photos", "photo-scenes": "photos"}
    given = [part for option, name in kinds.items() for part in (f"--{option}", str(folders / name))]
    return ["train", *given, "--apart", "kept", "--steps", str(steps), "--out", str(folders / "judge.pt")]


def test_it_learns_to_tell_drawings_from_photos(folders: Path) -> None:
    """What it never saw gets a higher probability when it is drawn, and the file tells how often it errs."""
    result = CliRunner().invoke(judge, options(folders, 40), catch_exceptions=False)
    assert result.exit_code == 0
    ask = Judge.load(folders / "judge.pt")
    scores = [(ask(drawn(seed)), ask(photographed(seed))) for seed in range(100, 108)]
    assert all(drawing > photo for drawing, photo in scores)
    assert ask.facts["figures"]["scenes"]["photos"] >= 8
    asked = CliRunner().invoke(
        judge,
        ["score", "--judge", str(folders / "judge.pt"), *map(str, sorted((folders / "photos").glob("kept*")))],
        catch_exceptions=False,
    )
    assert "mean of 8" in asked.output


def test_whole_sources_are_kept_apart(folders: Path) -> None:
    """No picture of a source that is named is learned from; scenes of others are all learned from or held out."""
    from livefilter.training.data import is_held_out

    found = read_examples([str(folders / "photos")], "scenes", ["kept"])
    names = [path.name for path in (folders / "photos").iterdir()]
    apart = [name for name in names if name.startswith("kept") or is_held_out(name)]
    assert len(found.apart) == len(apart)
    assert len(found.learned) == len(names) - len(apart)


def test_a_pattern_that_names_nothing_is_told(folders: Path) -> None:
    """The error repeats it."""
    with pytest.raises(InvalidInput, match=r"nothing\* names no picture"):
        read_examples([str(folders / "nothing*")], "faces", [])


def test_the_class_does_not_change_what_is_done_to_a_picture() -> None:
    """Crops have one size, whatever the picture's, and the same lots give the same crop."""
    for picture in (drawn(0), np.asarray(photographed(0)[:60, :50], np.uint8)):
        first, second = (view(picture, "faces", SMALL, np.random.default_rng(3)) for _ in range(2))
        assert first.shape == (SMALL, SMALL, 3)
        assert np.array_equal(first, second)


def test_other_files_are_no_judge(tmp_path: Path) -> None:
    """A missing file and a foreign one are told, with the command that makes one."""
    with pytest.raises(InvalidInput, match=r"no judge.*judge train"):
        Judge.load(tmp_path / "none.pt")
    (tmp_path / "other.pt").write_bytes(b"other")
    with pytest.raises(InvalidInput, match="is not a judge"):
        Judge.load(tmp_path / "other.pt")
