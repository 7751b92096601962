"""What a style's card must say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from livefilter.errors import StyleCorrupt, UnknownName
from livefilter.styles.card import Style, read_card
from livefilter.styles.card_writer import write_card
from livefilter.styles.network import Network
from tests.styles.folders import write_style


def test_a_card_is_read(tmp_path: Path) -> None:
    """Every entry arrives, and files are found beside the card."""
    about = {"macs_per_pixel": 8864, "parameters": 5, "training": "a command", "figures": {"psnr_db": 24.5}}
    folder = write_style(tmp_path, "ink", order=3, networks={"full": {}, "lite": about})
    style = read_card(folder)
    assert (style.name, style.title, style.licence, style.order) == ("ink", "Ink", "CC0-1.0", 3)
    assert list(style.networks) == ["lite", "full"]
    lite = style.networks["lite"]
    assert (lite.style, lite.size, lite.path, lite.label) == ("ink", "lite", folder / "lite.onnx", "ink-lite")
    assert (lite.macs_per_pixel, lite.parameters, lite.training) == (8864, 5, "a command")
    assert dict(lite.figures) == {"psnr_db": 24.5}


def test_entries_that_are_not_needed_may_be_missing(tmp_path: Path) -> None:
    """A card with only what is needed is enough."""
    style = read_card(write_style(tmp_path, "ink"))
    assert style.picture_path is None
    assert style.description == ""
    assert dict(style.network().figures) == {}


@pytest.mark.parametrize("key", ["name", "title", "licence"])
def test_what_is_needed_is_asked_for(tmp_path: Path, key: str) -> None:
    """A card without a needed entry is an error that names the card and the entry."""
    folder = write_style(tmp_path, "ink", **{key: None})
    with pytest.raises(StyleCorrupt, match=rf"card\.toml has no usable {key}: it is missing"):
        read_card(folder)


@pytest.mark.parametrize(
    ("named", "lacking"),
    [
        ("empty", r"there is no card\.toml in this folder"),
        ("none", "there is no such folder"),
        ("file", "it is a file"),
    ],
)
def test_what_is_no_style_is_said_to_be_none(tmp_path: Path, named: str, lacking: str) -> None:
    """The error names the place, what lacks there and what is expected; there is nothing to reinstall."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(StyleCorrupt, match=rf"{named} is no style: {lacking}\. Name the folder of a style") as raised:
        read_card(tmp_path / named)
    assert "einstall" not in str(raised.value)


@pytest.mark.parametrize("key", ["file", "sha256"])
def test_a_network_needs_its_file_and_digest(tmp_path: Path, key: str) -> None:
    """The error names the entry with its table."""
    folder = write_style(tmp_path, "ink", networks={"full": {key: None}})
    with pytest.raises(StyleCorrupt, match=rf"no usable networks\.full\.{key}: it is missing"):
        read_card(folder)


@pytest.mark.parametrize("networks", [{}, {"huge": {}}])
def test_a_style_has_a_network_of_a_known_size(tmp_path: Path, networks: dict[str, object]) -> None:
    """No network, or one of another size, is refused."""
    with pytest.raises(StyleCorrupt, match="no usable networks"):
        read_card(write_style(tmp_path, "ink", networks=networks))


@pytest.mark.parametrize(
    ("key", "value"), [("name", "Not A Name"), ("title", 5), ("order", "first"), ("picture", "none.jpg")]
)
def test_a_wrong_entry_is_named(tmp_path: Path, key: str, value: object) -> None:
    """Wrong types, names and missing files are refused."""
    folder = write_style(tmp_path, "ink", **{key: value})
    with pytest.raises(StyleCorrupt, match=f"no usable {key}") as caught:
        read_card(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("sha256", "abc"),
        ("macs_per_pixel", -1),
        ("parameters", True),
        ("file", "../network.onnx"),
        ("file", "..\\network.onnx"),
        ("file", "elsewhere.onnx"),
        ("figures", 3),
        ("size", [512]),
        ("size", [512, 500]),
        ("size", "512x512"),
        ("multiple", 12),
        ("multiple", True),
    ],
)
def test_a_wrong_entry_of_a_network_is_named(tmp_path: Path, key: str, value: object) -> None:
    """Wrong types, digests, and files that are missing or lie outside the folder are refused."""
    folder = write_style(tmp_path, "ink", networks={"lite": {key: value}})
    with pytest.raises(StyleCorrupt, match=rf"no usable networks\.lite\.{key}"):
        read_card(folder)


def test_a_written_card_reads_the_same(tmp_path: Path) -> None:
    """What is written comes back, with quotes, umlauts and figures."""
    networks = {"lite": {"figures": {"db": 24.5}, "multiple": 32}, "full": {"size": [512, 384]}}
    style = read_card(write_style(tmp_path, "ink", networks=networks))
    assert str(style.networks["lite"].accepts) == "any size, in multiples of 32"
    assert style.networks["full"].accepts.size == (512, 384)
    style = replace(style, credit='Zoë "Z" \\ Müller', description="flat")
    assert write_card(style) == style.folder / "card.toml"
    assert read_card(style.folder) == style


def test_auto_takes_full_on_a_gpu_and_lite_elsewhere(tmp_path: Path) -> None:
    """A size that is named is taken anywhere; an unknown one is an error."""
    style = read_card(write_style(tmp_path, "ink", networks={"lite": {}, "full": {}}))
    assert [style.network(gpu=gpu).size for gpu in (True, False)] == ["full", "lite"]
    assert [style.network(size, gpu=gpu).size for size, gpu in (("lite", True), ("full", False))] == ["lite", "full"]
    with pytest.raises(UnknownName, match="network size 'ful'"):
        style.network("ful")


def test_a_style_with_one_network_uses_it_and_says_so_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Asking for the other size by name is answered by a warning, the first time; auto is content."""
    style = read_card(write_style(tmp_path, "ink-of-one-size"))
    assert style.network(gpu=True).size == "lite"
    assert caplog.records == []
    assert [style.network("full").size for _ in range(3)] == ["lite"] * 3
    assert [record.message for record in caplog.records] == [
        "Style ink-of-one-size has no full network; its lite one is used."
    ]


@pytest.mark.parametrize("content", [b"name = ", b"\xff\xfe\x00"])
def test_a_card_that_is_no_toml_is_refused(tmp_path: Path, content: bytes) -> None:
    """Broken text names the card."""
    folder = write_style(tmp_path, "ink")
    (folder / "card.toml").write_bytes(content)
    with pytest.raises(StyleCorrupt, match="is not valid TOML"):
        read_card(folder)


def test_auto_takes_the_network_that_the_card_calls_best() -> None:
    """A style whose lite network draws better gives that on a GPU too; a named size is taken as it is."""
    networks = {size: Network("ink", size, Path(f"{size}.onnx"), "0" * 64) for size in ("lite", "full")}
    style = Style("ink", "Ink", "free", Path(), networks, best="lite")
    assert style.network(gpu=True).size == "lite"
    assert style.network("full").size == "full"
