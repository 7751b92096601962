"""No file is lost: a render writes its output and touches nothing else, whatever the files around it are called."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livefilter.capture.animation import AnimationSource
from livefilter.capture.base import Source, SourceInfo
from livefilter.capture.pictures import PictureFile
from livefilter.errors import EndOfStream, InvalidInput, LivefilterError, SinkUnavailable
from livefilter.frame import Frame, Image
from livefilter.output.base import Sink, SinkOptions
from livefilter.render import Openers, Rendered, render_path
from livefilter.whole_file import put_in_place, unused_name, write_whole
from tests.conftest import picture

PICTURE = cv2.imencode(".png", picture())[1].tobytes()
FILM = b"\0\0\0\x18ftypisom\0\0"
BEGINNING = {".png": PICTURE, ".mp4": FILM}


class _Film(Source):
    """Two frames."""

    def __init__(self, path: Path) -> None:
        self.info = SourceInfo(path.name, 64, 48, 30.0, live=False)
        self._left = [Frame(picture(), 0, 0.0), Frame(picture(), 1, 0.0)]

    def read(self) -> Frame:
        if not self._left:
            raise EndOfStream("the end")
        return self._left.pop()

    def close(self) -> None: ...


class _File(Sink):
    """Writes a letter for each frame, into a file that it makes as a recording does."""

    def __init__(self, path: Path, options: SinkOptions) -> None:
        self.name = str(path)
        self._file = path.open("xb")

    def send(self, frame: Frame) -> None:
        self._file.write(b"styled")

    def close(self) -> None:
        self._file.close()


OPENERS = Openers(_Film, AnimationSource, _File, PictureFile, (".mp4",))

parts = st.lists(st.sampled_from(["partial", "a", "é", "tmp"]), min_size=1, max_size=2).map(".".join)
stems = st.sampled_from(["a", "a.partial", "A", "a.partial.partial"]) | parts


def same(image: Image) -> Image:
    """No style at all."""
    return image


def rendered(source: Path, target: Path, overwrite: bool = False) -> Rendered:
    """Render without showing progress."""
    return render_path(source, target, same, OPENERS, overwrite=overwrite, report=lambda done, total: None)


def contents(folder: Path) -> dict[str, bytes]:
    """What lies in a folder; a link is what it says."""
    return {
        entry.name: os.readlink(entry).encode() if entry.is_symlink() else entry.read_bytes()
        for entry in folder.iterdir()
        if entry.is_symlink() or entry.is_file()
    }


@settings(max_examples=150)
@given(
    suffix=st.sampled_from([".png", ".mp4"]),
    source=stems,
    target=stems,
    others=st.lists(stems, max_size=5),
    links=st.dictionaries(stems, stems, max_size=2),
    overwrite=st.booleans(),
)
def test_a_render_touches_its_target_alone(
    suffix: str, source: str, target: str, others: list[str], links: dict[str, str], overwrite: bool
) -> None:
    """Every other file and link of the folder is as it was, and nothing else is left, whether it worked or not."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for name in (source, *others):
            (folder / f"{name}{suffix}").write_bytes(BEGINNING[suffix] + name.encode())
        for name, to in links.items():
            link = folder / f"{name}{suffix}"
            if not os.path.lexists(link):
                link.symlink_to(f"{to}{suffix}")
        before = contents(folder)
        out = folder / f"{target}{suffix}"
        one = out.exists() and out.samefile(folder / f"{source}{suffix}")
        try:
            rendered(folder / f"{source}{suffix}", out, overwrite)
        except LivefilterError:
            assert one or (out.name in before and not overwrite)
            assert contents(folder) == before
        else:
            assert not one
            after = contents(folder)
            assert not out.is_symlink()
            assert after.pop(out.name) != before.pop(out.name, None)
            assert after == before


@settings(max_examples=60)
@given(names=st.sets(stems, min_size=1, max_size=6), overwrite=st.booleans())
def test_a_folder_keeps_as_many_pictures_as_it_says(names: set[str], overwrite: bool) -> None:
    """Also when some are called like other programs' temporary files."""
    with tempfile.TemporaryDirectory() as made:
        source, target = Path(made) / "in", Path(made) / "out"
        source.mkdir()
        for name in names:
            (source / f"{name}.png").write_bytes(PICTURE)
        before = contents(source)
        assert rendered(source, target, overwrite).frames == len(names) == len(contents(target))
        assert contents(source) == before
        assert set(contents(target)) == set(before)


@pytest.mark.parametrize("source", ["photo.partial.png", "clip.partial.mp4"])
def test_a_source_that_is_named_like_a_part_survives(tmp_path: Path, source: str) -> None:
    """It was taken for what an interrupted render had left, and deleted."""
    path = tmp_path / source
    path.write_bytes(BEGINNING[path.suffix])
    rendered(path, tmp_path / source.replace(".partial", ""), overwrite=True)
    assert path.read_bytes() == BEGINNING[path.suffix]
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("kind", ["the name itself", "hard link", "link", "link to the folder"])
def test_one_file_under_two_names_is_refused(tmp_path: Path, kind: str) -> None:
    """Whatever makes them one, and with --overwrite too."""
    source, target = tmp_path / "in.mp4", tmp_path / "out.mp4"
    source.write_bytes(FILM)
    if kind == "hard link":
        os.link(source, target)
    elif kind == "link":
        target.symlink_to(source)
    elif kind == "link to the folder":
        (tmp_path / "there").symlink_to(tmp_path)
        target = tmp_path / "there" / "in.mp4"
    else:
        target = source
    with pytest.raises(InvalidInput, match="cannot be both"):
        rendered(source, target, overwrite=True)
    assert source.read_bytes() == FILM


def test_a_folder_that_holds_links_to_its_source_is_refused(tmp_path: Path) -> None:
    """A picture that is linked into the output folder would be read and written at once."""
    source, target = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    target.mkdir()
    (source / "a.png").write_bytes(PICTURE)
    os.link(source / "a.png", target / "a.png")
    with pytest.raises(InvalidInput, match="cannot be both"):
        rendered(source, target, overwrite=True)
    assert (source / "a.png").read_bytes() == PICTURE


def test_a_link_in_the_targets_place_is_replaced_and_not_followed(tmp_path: Path) -> None:
    """What it points to is somebody's file, perhaps outside the folder."""
    source, precious, target = tmp_path / "in.png", tmp_path / "precious.txt", tmp_path / "out.png"
    source.write_bytes(PICTURE)
    precious.write_text("mine")
    target.symlink_to(precious)
    with pytest.raises(SinkUnavailable, match="exists already"):
        rendered(source, target)
    rendered(source, target, overwrite=True)
    assert precious.read_text() == "mine"
    assert cv2.imdecode(np.frombuffer(target.read_bytes(), np.uint8), cv2.IMREAD_COLOR) is not None


def test_a_file_that_appears_meanwhile_is_kept(tmp_path: Path) -> None:
    """Between the look and the writing another program may have taken the name."""
    target = tmp_path / "out.bin"
    partial = unused_name(target)
    partial.write_bytes(b"ours")
    target.write_bytes(b"theirs")
    with pytest.raises(FileExistsError):
        put_in_place(partial, target, overwrite=False)
    with pytest.raises(FileExistsError):
        write_whole(target, b"ours", overwrite=False)
    assert contents(tmp_path) == {"out.bin": b"theirs", partial.name: b"ours"}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_a_private_file_stays_private(tmp_path: Path) -> None:
    """A new one is the owner's alone where asked; one that is replaced keeps its mode."""
    secret, open_one = tmp_path / "secret", tmp_path / "open"
    write_whole(secret, b"1", private=True)
    write_whole(open_one, b"1")
    open_one.chmod(0o600)
    write_whole(open_one, b"2")
    assert [path.stat().st_mode & 0o777 for path in (secret, open_one)] == [0o600, 0o600]


def test_no_two_unfinished_files_share_a_name(tmp_path: Path) -> None:
    """And none is too long for a file system, however long the file's own name is."""
    names = {unused_name(tmp_path / f"{'é' * 120}.mp4").name for _ in range(100)}
    assert len(names) == 100
    assert all(len(name.encode()) < 255 and name.endswith(".mp4") for name in names)
