"""`livefilter import`, and `livefilter styles remove`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from livefilter.cli import import_style as command
from livefilter.cli import styles as styles_command
from livefilter.errors import InvalidInput
from livefilter.inference.styler import Styler
from livefilter.styles.catalogue import Catalogue
from tests.conftest import picture
from tests.generator.float_networks import write_generator


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder of styles for this test."""
    folder = tmp_path / "styles"
    for module in (command, styles_command):
        monkeypatch.setattr(module, "user_folder", lambda: folder)
        monkeypatch.setattr(module, "Catalogue", lambda: Catalogue(user=folder))
    return folder


def run(*arguments: object) -> Any:
    """Import as the program does; errors are raised."""
    words = [str(word) for word in arguments]
    return CliRunner().invoke(command.import_style, words, standalone_mode=False, catch_exceptions=False)


def remove(name: str) -> Any:
    """Remove as the program does; errors are raised."""
    return CliRunner().invoke(styles_command.styles, ["remove", name], standalone_mode=False, catch_exceptions=False)


def test_an_imported_generator_is_a_style(mine: Path, tmp_path: Path) -> None:
    """It is in the catalogue with its card and picture, and styles frames of any size."""
    file = write_generator(tmp_path / "gan.onnx", size=(64, 96))
    words = ("--title", "Swap", "--licence", "CC0-1.0", "--credit", "me", "--description", "odd", "--order", 7)
    result = run(file, "--name", "swap", *words)
    assert "Takes frames of 64x96 only" in result.output
    assert "to 0 of 255" in result.output or "to 1 of 255" in result.output
    style, network = Catalogue(user=mine).choose("swap")
    facts = (style.title, style.licence, style.credit, style.description, style.order)
    assert facts == ("Swap", "CC0-1.0", "me", "odd", 7)
    assert (network.size, network.accepts.size, network.parameters) == ("full", (64, 96), 36)
    assert "imported from gan.onnx" in network.training
    assert style.picture_path is not None
    assert cv2.imread(str(style.picture_path)) is not None
    image = picture(100, 50)
    styler = Styler(network, "onnxruntime")
    try:
        assert np.abs(styler(image)[..., 0].astype(int) + image[..., 0] - 255).mean() < 25
    finally:
        styler.close()


def test_the_other_size_joins_the_style(mine: Path, tmp_path: Path) -> None:
    """A second import under the same name adds the other network and keeps what the card says."""
    file = write_generator(tmp_path / "gan.onnx")
    run(file, "--name", "swap", "--title", "First")
    run(file, "--name", "swap", "--network", "lite", "--licence", "MIT")
    style = Catalogue(user=mine).get("swap")
    assert (style.title, style.licence, list(style.networks)) == ("First", "MIT", ["lite", "full"])
    with pytest.raises(InvalidInput, match="has a lite network already"):
        run(file, "--name", "swap", "--network", "lite")


def test_a_known_file_brings_its_licence(mine: Path, tmp_path: Path) -> None:
    """What the list of published generators says goes onto the card, and the user is told."""
    result = run(write_generator(tmp_path / "AnimeGANv3_Hayao_36.onnx"), "--name", "v3")
    assert "Known by its name as Hayao (AnimeGANv3)" in result.output
    assert Catalogue(user=mine).get("v3").licence == "non-commercial"
    assert "licence is unknown" in run(write_generator(tmp_path / "gan.onnx"), "--name", "other").output


@pytest.mark.parametrize(
    ("name", "message"),
    [("hayao", "There is a style hayao already"), ("No Name", "is no name for a style"), ("../up", "is no name")],
)
def test_a_name_that_cannot_be_taken_is_told_at_once(mine: Path, tmp_path: Path, name: str, message: str) -> None:
    """Before the file is read."""
    with pytest.raises(InvalidInput, match=message):
        run(tmp_path / "none.onnx", "--name", name)


def test_what_fails_leaves_nothing(mine: Path, tmp_path: Path) -> None:
    """A file that is refused, and a folder that cannot be written, add no style."""
    with pytest.raises(InvalidInput, match="from -100"):
        run(write_generator(tmp_path / "bad.onnx", gain=100.0), "--name", "bad")
    assert not mine.exists()
    mine.write_text("in the way")
    with pytest.raises(InvalidInput, match="cannot be written to"):
        run(write_generator(tmp_path / "gan.onnx"), "--name", "swap")


def test_an_imported_style_is_removed(mine: Path, tmp_path: Path) -> None:
    """Its files go; what the user put beside them stays; bundled styles are not touched."""
    file = write_generator(tmp_path / "gan.onnx")
    run(file, "--name", "swap")
    assert "Removed swap." in remove("swap").output
    assert not (mine / "swap").exists()
    run(file, "--name", "swap")
    (mine / "swap" / "notes.txt").write_text("mine")
    assert "holds other files" in remove("swap").output
    assert [path.name for path in (mine / "swap").iterdir()] == ["notes.txt"]
    with pytest.raises(InvalidInput, match="comes with livefilter"):
        remove("hayao")
    with pytest.raises(InvalidInput, match="There is no style 'swap'"):
        remove("swap")
