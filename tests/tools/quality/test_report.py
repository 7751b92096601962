"""The whole report, from folders to Markdown, on pictures made on the spot."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from click.testing import CliRunner

pytest.importorskip("torch")
pytest.importorskip("tqdm")
pytest.importorskip("onnx")

import torch

from livefilter.errors import InvalidInput
from livefilter.frame import Image
from livefilter.generator.network import Design, Generator
from livefilter.styles.card import Style, read_card
from livefilter.training.card import write_style
from livefilter.training.data import is_held_out
from tools.quality import cost
from tools.quality import report as report_module
from tools.quality.__main__ import quality
from tools.quality.style_quality import StyleQuality

TINY = Design(half=16, quarter=16, eighth=16, eighth_blocks=1)


def picture(seed: int, height: int = 64, width: int = 96) -> Image:
    """Smooth random colours."""
    blocks = np.random.default_rng(seed).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(blocks, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def write_photos(folder: Path, change: Callable[[Image], Image]) -> None:
    """Three photos to learn from and one that is held out."""
    folder.mkdir(parents=True)
    names = [f"photo{index}.png" for index in range(200)]
    seen, held_out = ([name for name in names if is_held_out(name) is kept] for kept in (False, True))
    for seed, name in enumerate((*seen[:3], held_out[0])):
        cv2.imwrite(str(folder / name), change(picture(seed)))


def write_clip(path: Path) -> None:
    """A second and a bit of a view that moves."""
    path.parent.mkdir(parents=True)
    wide = picture(7, 64, 160)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=30)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for index in range(34):
            view = np.ascontiguousarray(wide[:, index : index + 96])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(view, "bgr24")))
        container.mux(stream.encode())


@pytest.fixture
def arguments(
    tmp_path: Path, make_teacher: Callable[..., Path], facts: None, monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    """A command line on tiny folders; the catalogue holds two tiny styles with random weights."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    write_photos(tmp_path / "photos", lambda photo: photo)
    write_photos(tmp_path / "pairs" / "photo", lambda photo: photo)
    write_photos(tmp_path / "pairs" / "redrawn", lambda photo: np.asarray(255 - photo, np.uint8))
    write_clip(tmp_path / "clips" / "walk.mp4")
    make_teacher(tmp_path / "teachers" / "negate.onnx")
    demo = tmp_path / "demo.png"
    cv2.imwrite(str(demo), picture(3))
    styles = []
    for name, sizes in (("negative", ("lite", "full")), ("redrawn", ("lite",))):
        for size in sizes:
            write_style(tmp_path / "styles" / name, name, size, Generator(TINY), "", {}, demo)
        styles.append(read_card(tmp_path / "styles" / name))

    class FakeCatalogue:
        def __init__(self) -> None:
            self.styles: list[Style] = styles

    monkeypatch.setattr("livefilter.styles.catalogue.Catalogue", FakeCatalogue)
    monkeypatch.setattr(cost, "FRAMES", ((64, 64),))
    folders = ("photos", "teachers", "clips", "pairs", "cache", "out")
    options = {name: str(tmp_path / name) for name in folders} | {"report": str(tmp_path / "docs" / "quality.md")}
    options |= {"longest": "96", "frames": "3", "runs": "1"}
    return [part for name, value in options.items() for part in (f"--{name}", value)]


def test_folders_become_a_report(arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One command measures all styles and writes tables and pictures; a second one takes up what was measured."""
    result = CliRunner().invoke(quality, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    text = (tmp_path / "docs" / "quality.md").read_text(encoding="utf-8")
    assert all(words in text for words in ("| negative | lite |", "| negative | full |", "| redrawn | lite |"))
    assert "| photo | 0% | 0% | 0% | 0% |" in text
    assert "| plain L1 student | not trained |" in text
    assert "the features are those of another one's encoder: negate" in text
    assert re.search(r"\| \[AnimeGANv2.s generator\].*\| [1-9]", text)
    assert str(tmp_path) not in text
    tables = [block.split("\n") for block in text.split("\n\n") if block.startswith("|")]
    assert len(tables) == 2 + 2 + 3
    assert text.count("| the target itself |") == 1
    assert all(len({row.count("|") for row in rows if row}) == 1 for rows in tables)
    for name in ("negative", "redrawn"):
        assert f"(quality/{name}.jpg)" in text
        shown = cv2.imread(str(tmp_path / "docs" / "quality" / f"{name}.jpg"))
        assert shown is not None
        # Photo, teacher and two sizes; or photo and one size, without a teacher.
        assert shown.shape[1] == pytest.approx(4 * 324 if name == "negative" else 2 * 324)
    assert len(list((tmp_path / "out" / "sheets").glob("*.jpg"))) == 4

    monkeypatch.setattr(report_module, "measure_style", None)
    again = CliRunner().invoke(quality, arguments, catch_exceptions=False)
    assert again.exit_code == 0
    assert again.output.count("measured before") == 2


def test_a_plain_l1_student_has_its_row(arguments: list[str], tmp_path: Path) -> None:
    """It is measured for the style that its card names, and what was measured without it is not taken up."""
    write_style(tmp_path / "l1", "negative", "lite", Generator(TINY), "", {}, tmp_path / "demo.png")
    result = CliRunner().invoke(quality, [*arguments, "--l1", str(tmp_path / "l1")], catch_exceptions=False)
    assert result.exit_code == 0
    rows = (tmp_path / "docs" / "quality.md").read_text(encoding="utf-8").splitlines()
    plain = [row for row in rows if row.startswith("| plain L1 student")]
    assert ["not trained" in row for row in plain] == [False, True, True]


def test_a_style_without_teacher_or_drawings_is_named(arguments: list[str], tmp_path: Path) -> None:
    """The error says what is missing, and where."""
    (tmp_path / "teachers" / "negate.onnx").unlink()
    with pytest.raises(InvalidInput, match=r"negative has neither a teacher .*negate\.onnx nor a folder negative"):
        CliRunner().invoke(quality, arguments, catch_exceptions=False)


def test_a_missing_folder_is_named(arguments: list[str], tmp_path: Path) -> None:
    """A typo in a folder is an error before anything is drawn."""
    arguments[1] = str(tmp_path / "fotos")
    with pytest.raises(InvalidInput, match="fotos does not exist"):
        CliRunner().invoke(quality, arguments, catch_exceptions=False)
    assert not (tmp_path / "cache").exists()


def test_a_clip_that_is_too_short_is_named(arguments: list[str]) -> None:
    """Fewer frames than asked for are not passed over."""
    arguments[arguments.index("--frames") + 1] = "9"
    with pytest.raises(InvalidInput, match=r"walk\.mp4 has fewer than 39 frames"):
        CliRunner().invoke(quality, arguments, catch_exceptions=False)


def test_results_of_other_networks_are_not_taken_up(tmp_path: Path) -> None:
    """A result is read back as it was, and only under its own key."""
    made = StyleQuality("key", "a", "A", "t", "t", 1, {"lite": {"x": 1.0}}, {"photo": {"clip": 1.0, "noise": 2.0}})
    made.save(tmp_path / "a.json")
    assert StyleQuality.load(tmp_path / "a.json", "key") == made
    assert StyleQuality.load(tmp_path / "a.json", "other") is None
    assert StyleQuality.load(tmp_path / "b.json", "key") is None


def test_added_flicker_is_the_mean_of_the_clips() -> None:
    """Styled minus unstyled, clip by clip; noise is no clip."""
    flicker = {"photo": {"a": 1.0, "b": 2.0, "noise": 9.0}, "lite": {"a": 1.5, "b": 2.1, "noise": 0.0}}
    made = StyleQuality("key", "a", "A", "t", "t", 1, {}, flicker)
    assert made.steadiness("lite") == pytest.approx(0.3)
    assert not made.has_teacher
