"""The whole report, from folders to Markdown, on pictures made on the spot."""

from __future__ import annotations

import json
import re
import sys
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
from tools.quality.judge.network import DrawingOrPhoto
from tools.quality.judge.scoring import Judge
from tools.quality.style_quality import StyleQuality

TINY = Design(half=16, quarter=16, eighth=16, eighth_blocks=1)


def picture(seed: int, height: int = 64, width: int = 96) -> Image:
    """Smooth random colours."""
    blocks = np.random.default_rng(seed).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(blocks, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def write_photos(folder: Path) -> None:
    """Two photos to learn from, and of those that are held out one with a wide face and one without."""
    folder.mkdir(parents=True)
    names = [f"photo{index}.png" for index in range(200)]
    seen, held_out = ([name for name in names if is_held_out(name) is kept] for kept in (False, True))
    for seed, name in enumerate((*seen[:2], *held_out[:2])):
        cv2.imwrite(str(folder / name), picture(seed))
    face = {"left": 20.0, "top": 10.0, "side": 40.0, "passes": 2}
    (folder.parent / "people").mkdir()
    (folder.parent / "people" / "faces.json").write_text(json.dumps({held_out[0]: [face]}))


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
    tmp_path: Path, make_teacher: Callable[..., Path], recipes: None, monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    """A command line on tiny folders; the catalogue holds two tiny styles with random weights."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    write_photos(tmp_path / "photos")
    write_clip(tmp_path / "clips" / "walk.mp4")
    make_teacher(tmp_path / "teachers" / "negate.onnx")
    demo = tmp_path / "demo.png"
    cv2.imwrite(str(demo), picture(3))
    styles = []
    for order, (name, sizes) in enumerate((("negative", ("lite", "full")), ("poster", ("lite",)))):
        folder = tmp_path / "styles" / name
        style = Style(name, name.title(), "CC0-1.0", folder, {}, teacher="negate", order=order)
        for size in sizes:
            write_style(folder, style, size, Generator(TINY), "", {}, demo)
        styles.append(read_card(folder))

    class FakeCatalogue:
        def __init__(self) -> None:
            self.styles: list[Style] = styles

    monkeypatch.setattr("livefilter.styles.catalogue.Catalogue", FakeCatalogue)
    monkeypatch.setattr(cost, "FRAMES", ((64, 64),))
    monkeypatch.setattr(cost, "ANIMEGAN_FRAME", (64, 64))
    folders = ("photos", "people", "teachers", "clips", "cache", "out")
    options = {name: str(tmp_path / name) for name in folders} | {"report": str(tmp_path / "docs" / "quality.md")}
    options |= {"frames": "2", "expressions": "2", "rounds": "1"}
    return [part for name, value in options.items() for part in (f"--{name}", value)]


def write_judge(path: Path) -> None:
    """A judge that knows nothing, with the figures that a trained one keeps."""
    figures = {"photo": 0.1, "drawing": 0.9, "error": 0.05, "photos": 3, "drawings": 4}
    Judge(DrawingOrPhoto().eval()).save(path, {"figures": {"faces": figures, "scenes": figures}})


_LANDMARKS = """
import json, sys
from pathlib import Path
if sys.argv[1] == "tools/people.py":
    photos, people = map(Path, sys.argv[2:])
    people.mkdir()
    (people / "faces.json").write_text(json.dumps({file.name: [] for file in photos.iterdir()}))
elif sys.argv[2] == "tools.drawn_faces":
    photos, people, cache = map(Path, sys.argv[3:])
    drawn = [file for file in photos.iterdir() if (cache / (file.stem + "-target.png")).exists()]
    (cache / "looked.json").write_text(json.dumps({file.name: False for file in drawn}))
else:
    opened = [[0.1 * row, 0.2 * row] for row in range(99)]
    asked = json.load(sys.stdin)
    print(json.dumps([[90.0, *([opened[row]] * len(files))] for row, files in enumerate(asked)]))
"""


def write_landmarks_python(path: Path) -> None:
    """A program in the place of a Python with MediaPipe: eyes and mouth are as wide as the frame's number."""
    program = path.with_name("landmarks.py")
    program.write_text(_LANDMARKS, encoding="utf-8")
    path.write_text(f'#!/bin/sh\nexec {sys.executable} {program} "$@"\n')
    path.chmod(0o755)


def test_folders_become_a_report(arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One command measures all styles and writes tables and pictures; a second one takes up what was measured."""
    write_judge(tmp_path / "judge.pt")
    write_landmarks_python(tmp_path / "python")
    arguments += ["--judge", str(tmp_path / "judge.pt"), "--landmarks-python", str(tmp_path / "python")]
    result = CliRunner().invoke(quality, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    text = (tmp_path / "docs" / "quality.md").read_text(encoding="utf-8")
    words = " ".join(text.split())
    assert "1 with a wide face and 1 others" in words
    assert "faces: 5.0% wrong, photos 0.10, drawings 0.90 (3 and 4)" in words
    tables = [block.split("\n") for block in text.split("\n\n") if block.startswith("|")]
    scores, shares, expression, flicker, costs = tables
    assert [row.split("|")[1].strip() for row in scores[2:]] == [
        "photo",
        "negative, chain",
        "negative, lite",
        "negative, full",
        "poster, chain",
        "poster, lite",
    ]
    assert len(shares) == 2 + 3
    names = [row.split("|")[1].strip() for row in expression[2:] if row]
    assert names == ["negative, chain", "negative, lite", "negative, full", "poster, chain", "poster, lite"]
    # The drawings' eyes open as the frames' do.
    assert all(row.split("|")[2:4] == [" 1.00 ", " 1.00 "] for row in expression[2:] if row)
    assert [row.split("|")[1].strip() for row in flicker[2:4]] == ["photo", "negative, chain"]
    assert re.search(r"AnimeGANv2.s generator.*\| [1-9]", costs[-1])
    assert all(len({row.count("|") for row in rows if row}) == 1 for rows in tables)
    assert str(tmp_path) not in text
    for name in ("negative", "poster"):
        assert f"(quality/{name}.jpg)" in text
        shown = cv2.imread(str(tmp_path / "docs" / "quality" / f"{name}.jpg"))
        assert shown is not None
        # Photo, chain and two sizes; or one size.
        assert shown.shape[1] == (4 if name == "negative" else 3) * 304
    assert len(list((tmp_path / "out" / "sheets").glob("*.jpg"))) == 2 * 4
    # What the chain made of the frames was drawn once, and looked through.
    looked = list((tmp_path / "out" / "drawings").glob("*-frames/looked.json"))
    assert [len(json.loads(file.read_text())) for file in looked] == [2, 2]

    monkeypatch.setattr(report_module, "measure_style", None)
    again = CliRunner().invoke(quality, arguments, catch_exceptions=False)
    assert again.exit_code == 0
    assert again.output.count("measured before") == 2


def test_what_needs_a_file_that_is_not_given_is_left_out(arguments: list[str], tmp_path: Path) -> None:
    """Without judge and landmarks the report says so; the rest is measured."""
    assert CliRunner().invoke(quality, arguments, catch_exceptions=False).exit_code == 0
    text = (tmp_path / "docs" / "quality.md").read_text(encoding="utf-8")
    assert "no `--judge` was given" in text
    assert "no `--landmarks-python` was given" in text
    assert "| poster, lite |" in text


def test_a_python_without_mediapipe_is_told(arguments: list[str], tmp_path: Path) -> None:
    """The error says what that Python lacks and how to get it."""
    (tmp_path / "python").write_text("#!/bin/sh\necho 'No module named mediapipe' >&2\nexit 1\n")
    (tmp_path / "python").chmod(0o755)
    with pytest.raises(InvalidInput, match=r"No module named mediapipe.*pip install"):
        CliRunner().invoke(
            quality, [*arguments, "--landmarks-python", str(tmp_path / "python")], catch_exceptions=False
        )


def test_a_missing_teacher_is_named(arguments: list[str], tmp_path: Path) -> None:
    """The error says which file a recipe needs."""
    (tmp_path / "teachers" / "negate.onnx").unlink()
    with pytest.raises(InvalidInput, match=r"negate\.onnx"):
        CliRunner().invoke(quality, arguments, catch_exceptions=False)


@pytest.mark.parametrize("option", ["photos", "judge"])
def test_what_is_missing_is_named(option: str, arguments: list[str], tmp_path: Path) -> None:
    """A typo in a folder or file is an error before anything is drawn."""
    with pytest.raises(InvalidInput, match="fotos does not exist"):
        CliRunner().invoke(quality, [*arguments, f"--{option}", str(tmp_path / "fotos")], catch_exceptions=False)
    assert not (tmp_path / "cache").exists()


def test_a_clip_that_is_too_short_is_named(arguments: list[str]) -> None:
    """Fewer frames than asked for are not passed over."""
    arguments[arguments.index("--frames") + 1] = "9"
    with pytest.raises(InvalidInput, match=r"walk\.mp4 has fewer than 39 frames"):
        CliRunner().invoke(quality, arguments, catch_exceptions=False)


def test_results_of_other_networks_are_not_taken_up(tmp_path: Path) -> None:
    """A result is read back as it was, and only under its own key."""
    flicker = {"photo": {"clip": 1.0, "noise": 2.0}}
    made = StyleQuality("key", "a", "A", "t", {"faces": 1}, {"lite": {"x": 1.0}}, {}, {}, flicker)
    made.save(tmp_path / "a.json")
    assert StyleQuality.load(tmp_path / "a.json", "key") == made
    assert StyleQuality.load(tmp_path / "a.json", "other") is None
    assert StyleQuality.load(tmp_path / "b.json", "key") is None


def test_added_flicker_is_the_mean_of_the_clips() -> None:
    """Styled minus unstyled, clip by clip; noise is no clip."""
    flicker = {"photo": {"a": 1.0, "b": 2.0, "noise": 9.0}, "lite": {"a": 1.5, "b": 2.1, "noise": 0.0}}
    made = StyleQuality("key", "a", "A", "t", {}, {}, {}, {}, flicker)
    assert made.steadiness("lite") == pytest.approx(0.3)
