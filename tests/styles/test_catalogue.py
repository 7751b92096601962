"""Which styles there are."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import pytest

from livefilter.errors import StyleCorrupt, UnknownName
from livefilter.styles.catalogue import Catalogue, user_folder
from tests.styles.folders import write_style


def catalogue(root: Path, *extra: Path) -> Catalogue:
    """A catalogue of two folders of the test's own."""
    return Catalogue(extra, bundled=root / "bundled", user=root / "user")


def test_styles_are_listed_in_the_order_of_their_cards(tmp_path: Path) -> None:
    """Styles of all folders stand in one list, by order and then by name."""
    write_style(tmp_path / "bundled", "zen", order=1)
    write_style(tmp_path / "user", "mine", order=2)
    write_style(tmp_path / "extra", "also", order=2)
    found = catalogue(tmp_path, tmp_path / "extra")
    assert [style.name for style in found.styles] == ["zen", "also", "mine"]
    assert found.broken == []


def test_folders_that_are_missing_or_hold_no_card_are_passed_over(tmp_path: Path) -> None:
    """A user without styles and a folder of code beside the styles are nothing wrong."""
    (tmp_path / "bundled" / "__pycache__").mkdir(parents=True)
    found = catalogue(tmp_path)
    assert (found.styles, found.broken) == ([], [])


def test_a_broken_style_is_told_and_hurts_no_other(tmp_path: Path) -> None:
    """The others stay usable; asking for the broken one gives its reason."""
    write_style(tmp_path / "bundled", "good")
    write_style(tmp_path / "bundled", "bad", networks={"lite": {"sha256": "?"}})
    found = catalogue(tmp_path)
    assert found.get("good").name == "good"
    assert [broken.name for broken in found.broken] == ["bad"]
    with pytest.raises(StyleCorrupt, match=r"no usable networks\.lite\.sha256"):
        found.get("bad")


def test_a_name_is_taken_once(tmp_path: Path) -> None:
    """A user's style does not silently replace one that came with livefilter."""
    write_style(tmp_path / "bundled", "ink", title="The first")
    write_style(tmp_path / "user", "other", name="ink")
    found = catalogue(tmp_path)
    assert found.get("ink").title == "The first"
    assert "has already. Give it another name." in found.broken[0].reason


def test_a_folder_given_twice_is_read_once(tmp_path: Path) -> None:
    """The user's folder named again as an extra one gives no twins."""
    write_style(tmp_path / "user", "ink")
    found = catalogue(tmp_path, tmp_path / "user")
    assert (len(found.styles), found.broken) == (1, [])


def test_an_unknown_style_names_the_nearest(tmp_path: Path) -> None:
    """A typo is answered with what was meant."""
    write_style(tmp_path / "bundled", "hayao")
    with pytest.raises(UnknownName, match=r"Unknown style 'hayo'\. Did you mean 'hayao'"):
        catalogue(tmp_path).get("hayo")


def test_a_network_must_be_the_one_on_the_card(tmp_path: Path) -> None:
    """The right file is given with its style; for another one the error names both digests."""
    folder = write_style(tmp_path / "bundled", "ink", networks={"lite": {}, "full": {}})
    found = catalogue(tmp_path)
    style, network = found.choose("ink", "full")
    assert (style.name, network.path) == ("ink", folder / "full.onnx")
    (folder / "full.onnx").write_bytes(b"exchanged")
    with pytest.raises(StyleCorrupt, match=rf"SHA-256 is [0-9a-f]{{64}}, but the card says {network.sha256}"):
        found.choose("ink", gpu=True)
    assert found.choose("ink")[1].size == "lite", "a broken network hurts no other"
    (folder / "full.onnx").unlink()
    with pytest.raises(StyleCorrupt, match="cannot be read"):
        network.verify()


def test_the_int8_form_must_be_the_one_on_the_card_too(tmp_path: Path) -> None:
    """It is read from the card, and checked like the network itself."""
    folder = tmp_path / "bundled" / "ink"
    changes = {"int8_file": "lite.int8.onnx", "int8_sha256": hashlib.sha256(b"eight bits").hexdigest()}
    write_style(tmp_path / "bundled", "ink", networks={"lite": changes})
    assert "no file" in catalogue(tmp_path).broken[0].reason
    (folder / "lite.int8.onnx").write_bytes(b"eight bits")
    network = catalogue(tmp_path).choose("ink")[1]
    assert network.int8_path == folder / "lite.int8.onnx"
    (folder / "lite.int8.onnx").write_bytes(b"exchanged")
    with pytest.raises(StyleCorrupt, match=rf"lite\.int8\.onnx.* but the card says {changes['int8_sha256']}"):
        catalogue(tmp_path).choose("ink")


def test_the_bundled_styles_are_whole() -> None:
    """Every style that comes with livefilter has a true digest, a picture that opens, and words about itself."""
    found = Catalogue(user=Path("no such folder"))
    assert found.styles
    assert found.broken == []
    for style in found.styles:
        for network in style.networks.values():
            network.verify()
        assert style.description
        assert style.credit
        assert style.picture_path is not None
        assert cv2.imread(str(style.picture_path)) is not None


def test_the_users_folder_is_the_systems_own() -> None:
    """Users' styles lie in the place that the system has for such data."""
    assert user_folder().name == "styles"
    assert user_folder().is_absolute()


def test_one_broken_card_is_warned_of_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A run looks for styles several times."""
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "card.toml").write_text("name = ")
    for _ in range(3):
        catalogue = Catalogue(bundled=tmp_path, user=tmp_path)
        assert [style.name for style in catalogue.broken] == ["broken"]
    assert len(caplog.records) == 1
