"""Folders of pictures and videos."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from livefilter.errors import SinkUnavailable
from livefilter.live.open_files import file_openers
from livefilter.render import Rendered, render_path
from tests.conftest import make_video, picture
from tests.output.video.sync import picture_times


def rendered(source: Path, target: Path, **options: bool) -> Rendered:
    """Render without a style and without showing progress."""
    return render_path(
        source,
        target,
        lambda image: image,
        file_openers(),
        report=lambda done, total: None,
        **options,  # type: ignore[arg-type]
    )


def test_videos_of_a_folder_are_styled_with_its_pictures(tmp_path: Path) -> None:
    """Under their own names; kinds that cannot be written become MP4, and no name is taken twice."""
    source = tmp_path / "in"
    source.mkdir()
    for name in ("a.mp4", "b.mkv", "b.avi", "c.m4v"):
        make_video(source / name, seconds=0.2)
    cv2.imwrite(str(source / "p.png"), picture())
    (source / "notes.txt").write_text("no film")
    (source / ".hidden.mp4").write_bytes(b"Mac OS X")
    made = rendered(source, tmp_path / "out")
    assert made == Rendered(tmp_path / "out", 5, skipped=2, what="file")
    found = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert found == ["a.mp4", "b.mkv", "b.mp4", "c.mp4", "p.png"]
    assert len(picture_times(tmp_path / "out/a.mp4")) == 6


def test_a_damaged_video_does_not_stop_the_folder(tmp_path: Path) -> None:
    """It is named, as are an empty one and a text that only bears the name of one."""
    source = tmp_path / "in"
    source.mkdir()
    make_video(source / "good.mp4", seconds=0.2)
    (source / "bad.mp4").write_bytes(b"\0" * 5000)
    (source / "empty.mov").write_bytes(b"")
    (source / "page.mp4").write_text("<html>404 not found</html>")
    (source / "program.ts").write_text("export const film = 1;")
    made = rendered(source, tmp_path / "out")
    assert (made.frames, made.skipped, made.what) == (1, 1, "video")
    names = ("bad.mp4", "empty.mov", "page.mp4")
    assert [name in line for name, line in zip(names, made.bad, strict=True)] == [True, True, True]
    assert "is a text, not a video" in made.bad[2]


def test_a_video_that_is_there_already_stops_the_folder_before_it_starts(tmp_path: Path) -> None:
    """Unless it is to be replaced."""
    source, target = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    target.mkdir()
    for name in ("a.mp4", "b.mp4"):
        make_video(source / name, seconds=0.2)
    (target / "b.mp4").write_bytes(b"mine")
    with pytest.raises(SinkUnavailable, match="--overwrite"):
        rendered(source, target)
    assert [path.name for path in target.iterdir()] == ["b.mp4"]
    assert rendered(source, target, overwrite=True).frames == 2


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm"])
def test_the_same_video_twice_is_the_same_file(tmp_path: Path, suffix: str) -> None:
    """No time of day and no random number is written into it."""
    source = make_video(tmp_path / "in.mp4", 128, 96, audio=True)  # x264 is not so strict about narrower pictures
    both = [tmp_path / f"{number}{suffix}" for number in range(2)]
    for target in both:
        rendered(source, target)
    assert both[0].read_bytes() == both[1].read_bytes()
