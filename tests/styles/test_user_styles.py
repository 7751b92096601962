"""Adding styles to the user's folder, and the list of generators to get."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest

from livefilter.errors import InvalidInput
from livefilter.styles import known, user_styles
from livefilter.styles.card import NAME, read_card
from livefilter.styles.user_styles import UserStyles
from tests.styles.folders import CONTENT, write_style


def test_a_style_is_there_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the card cannot be written, nothing is left of a new style, and an old one stays as it was."""
    template = read_card(write_style(tmp_path / "elsewhere", "ink"))
    mine = UserStyles(tmp_path / "mine")
    style = replace(template, folder=mine.folder / "ink")

    def full(style: object) -> Path:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(user_styles, "write_card", full)
        with pytest.raises(InvalidInput, match="No space left"):
            mine.add(style, {"lite.onnx": CONTENT})
    assert not style.folder.exists()
    mine.add(style, {"lite.onnx": CONTENT})
    assert mine.find("ink") is not None
    assert sorted(os.listdir(style.folder)) == ["card.toml", "lite.onnx"]
    with monkeypatch.context() as broken:
        broken.setattr(user_styles, "write_card", full)
        with pytest.raises(InvalidInput, match="No space left"):
            mine.add(replace(style, title="Other"), {"full.onnx": CONTENT})
    found = mine.find("ink")
    assert found is not None
    assert found.title == style.title
    found.network("lite").verify()


def test_a_broken_style_is_not_removed_by_guess(tmp_path: Path) -> None:
    """Without a readable card nobody knows which files are the style's."""
    folder = write_style(tmp_path, "ink", title=None)
    with pytest.raises(InvalidInput, match="is broken"):
        UserStyles(tmp_path).remove("ink")
    assert (folder / "lite.onnx").exists()


def test_every_known_generator_says_where_it_is_and_under_which_terms() -> None:
    """Names are ones that styles can have and no two are the same; pages are addresses; sums are sums."""
    entries = known.known_generators()
    assert len({entry.name for entry in entries}) == len({entry.file for entry in entries}) == len(entries) >= 4
    for entry in entries:
        assert NAME.fullmatch(entry.name)
        assert entry.page.startswith("https://")
        assert entry.licence
        assert entry.credit
        assert entry.sha256 == "" or len(entry.sha256) == 64


def test_a_file_is_recognised_by_sum_before_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name counts only where the list has no sum, so that another file of that name is not taken for it."""
    first = known.known_generators()[0]
    by_sum = replace(first, file="a.pt", sha256=hashlib.sha256(b"this").hexdigest())
    by_name = replace(first, file="b.pt", sha256="")
    monkeypatch.setattr(known, "known_generators", lambda: [by_sum, by_name])
    contents = {"a.pt": b"other", "B.PT": b"any", "c.pt": b"this", "d.pt": b"any"}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    assert [known.recognise(name, (tmp_path / name).read_bytes()) for name in contents] == [None, by_name, by_sum, None]


@pytest.mark.skipif(os.name == "nt", reason="making a link needs a right there")
def test_of_a_linked_style_only_the_link_is_removed(tmp_path: Path) -> None:
    """What it points to is somebody's own folder."""
    own = write_style(tmp_path / "own", "ink")
    mine = UserStyles(tmp_path / "mine")
    mine.folder.mkdir()
    (mine.folder / "ink").symlink_to(own, target_is_directory=True)
    before = sorted(os.listdir(own))
    mine.remove("ink")
    assert not os.path.lexists(mine.folder / "ink")
    assert sorted(os.listdir(own)) == before
