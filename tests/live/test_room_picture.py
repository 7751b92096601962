"""A picture or a clip in place of the room."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from livefilter.errors import InvalidInput, SourceLost
from livefilter.live.room_picture import Clip, Still, covering, open_room_picture
from tests.conftest import make_video
from tests.fakes import until


def test_a_picture_covers_the_frame_with_its_middle() -> None:
    """Cropped at its sides or above and below, never bent; of the very size it is itself."""
    picture = np.zeros((40, 120, 3), np.uint8)
    picture[:, 40:80] = 200
    assert (covering(picture, 40, 40) == 200).all()
    assert (covering(picture, 20, 20) == 200).all()
    assert covering(picture, 120, 40) is picture
    tall = np.ascontiguousarray(np.rot90(picture), np.uint8)
    assert (covering(tall, 40, 40) == 200).all()
    still = Still(picture)
    assert still.at(40, 40) is still.at(40, 40)
    assert still.at(60, 20).shape == (20, 60, 3)


def test_a_file_is_a_still_or_a_clip_by_what_it_holds(tmp_path: Path) -> None:
    """A photo, an animation and a video; what is neither is refused in words."""
    cv2.imwrite(str(tmp_path / "a.png"), np.full((20, 30, 3), 77, np.uint8))
    frames = [Pillow.new("RGB", (30, 20), (0, 0, level)) for level in (40, 90, 200)]
    frames[0].save(tmp_path / "b.gif", save_all=True, append_images=frames[1:], duration=40)
    make_video(tmp_path / "c.mp4", 64, 48, seconds=0.3)
    for name, kind in (("a.png", Still), ("b.gif", Clip), ("c.mp4", Clip)):
        with open_room_picture(tmp_path / name) as picture:
            assert type(picture) is kind
            assert picture.at(64, 48).shape == (48, 64, 3)
    (tmp_path / "d.txt").write_text("words")
    with pytest.raises(InvalidInput, match=r"d\.txt"):
        open_room_picture(tmp_path / "d.txt")


def test_a_clip_plays_over_and_over_and_rests_when_nobody_looks(tmp_path: Path) -> None:
    """Its frames come by the clock, again after the last; unseen, its thread ends, and it begins anew when asked."""
    frames = [Pillow.new("RGB", (64, 48), (level, 0, 0)) for level in (40, 90, 200)]
    frames[0].save(tmp_path / "turn.gif", save_all=True, append_images=frames[1:], duration=30, loop=0)
    now = [0.0]
    clip = Clip(tmp_path / "turn.gif", lambda: now[0])
    seen: list[int] = []

    def look() -> bool:
        level = int(clip.at(64, 48)[24, 32, 2])
        if not seen or seen[-1] != level:
            seen.append(level)
        return len(seen) >= 7

    until(look, "two rounds")
    assert seen[:7] in ([40, 90, 200, 40, 90, 200, 40], [40, 90, 200] * 2 + [40])
    now[0] += 10.0
    playing = clip._thread
    assert playing is not None
    playing.join(5.0)
    assert not playing.is_alive()
    clip.at(64, 48)
    again = clip._thread
    assert again is not None
    assert again is not playing
    clip.close()
    clip.close()
    assert not again.is_alive()


def test_a_clip_that_goes_away_is_told(tmp_path: Path) -> None:
    """What was seen last stays until the reason is given, once."""
    make_video(tmp_path / "gone.mp4", 64, 48, seconds=0.2)
    clip = Clip(tmp_path / "gone.mp4")
    (tmp_path / "gone.mp4").unlink()

    def told() -> bool:
        try:
            clip.at(64, 48)
        except (InvalidInput, SourceLost) as error:
            return "gone.mp4" in str(error)
        return False

    until(told, "the reason")
    clip.close()
