"""What a style's card must say."""

from __future__ import annotations

from pathlib import Path

import pytest

from livefilter.errors import StyleCorrupt
from livefilter.styles.card import read_card
from tests.styles.folders import write_style


def test_a_card_is_read(tmp_path: Path) -> None:
    """Every entry arrives, and files are found beside the card."""
    folder = write_style(tmp_path, "ink", order=3, macs_per_pixel=8864, figures={"psnr_db": 24.5})
    style = read_card(folder)
    assert (style.name, style.title, style.licence, style.order) == ("ink", "Ink", "CC0-1.0", 3)
    assert style.network_path == folder / "network.onnx"
    assert style.macs_per_pixel == 8864
    assert dict(style.figures) == {"psnr_db": 24.5}


def test_entries_that_are_not_needed_may_be_missing(tmp_path: Path) -> None:
    """A card with only what is needed is enough."""
    style = read_card(write_style(tmp_path, "ink"))
    assert style.picture_path is None
    assert style.description == ""
    assert dict(style.figures) == {}


@pytest.mark.parametrize("key", ["name", "title", "licence", "network", "sha256"])
def test_what_is_needed_is_asked_for(tmp_path: Path, key: str) -> None:
    """A card without a needed entry is an error that names the card and the entry."""
    folder = write_style(tmp_path, "ink", **{key: None})
    with pytest.raises(StyleCorrupt, match=rf"card\.toml has no usable {key}: it is missing"):
        read_card(folder)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", "Not A Name"),
        ("title", 5),
        ("sha256", "abc"),
        ("order", "first"),
        ("macs_per_pixel", -1),
        ("parameters", True),
        ("network", "../network.onnx"),
        ("network", "..\\network.onnx"),
        ("network", "elsewhere.onnx"),
        ("picture", "none.jpg"),
        ("figures", 3),
    ],
)
def test_a_wrong_entry_is_named(tmp_path: Path, key: str, value: object) -> None:
    """Wrong types, names, digests, and files that are missing or lie outside the folder are refused."""
    folder = write_style(tmp_path, "ink", **{key: value})
    with pytest.raises(StyleCorrupt, match=f"no usable {key}") as caught:
        read_card(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"name = ", b"\xff\xfe\x00"])
def test_a_card_that_is_no_toml_is_refused(tmp_path: Path, content: bytes) -> None:
    """Broken text names the card."""
    folder = write_style(tmp_path, "ink")
    (folder / "card.toml").write_bytes(content)
    with pytest.raises(StyleCorrupt, match="is not valid TOML"):
        read_card(folder)
