"""Calibration: what a recording tells, and what follows from it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from livefilter.errors import InvalidInput
from livefilter.obs.calibrate import evaluate
from livefilter.obs.lip_sync import make_flash_video, read_lateness


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve seconds of flashes and beeps."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    make_flash_video(path, 12.0)
    return path


def filmed(film: Path, path: Path, late_s: float, share: float = 1.0, noise: float = 0.0) -> Path:
    """The film in a corner of a grey room, its sound earlier by `late_s` and in noise. share: of the picture's side."""
    random = np.random.default_rng(1)
    with av.open(str(film)) as given, av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=30, options={"preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = 320, 180, "yuv420p"
        audio = out.add_stream("aac", rate=48000, layout="mono")
        for number, frame in enumerate(given.decode(video=0)):
            room = np.full((180, 320), 90, np.uint8)
            small = frame.reformat(width=320, height=180, format="gray").to_ndarray()
            height, width = round(180 * share), round(320 * share)
            room[:height, :width] = small[:height, :width] // 2 + 40
            picture = av.VideoFrame.from_ndarray(room, format="gray").reformat(format="yuv420p")
            picture.pts = number
            out.mux(video.encode(picture))
        out.mux(video.encode())
        given.seek(0)
        heard = np.concatenate([np.asarray(frame.to_ndarray())[0] for frame in given.decode(audio=0)])
        shift = round(late_s * 48000)
        moved = (
            np.concatenate([heard[shift:], np.zeros(shift)])
            if shift >= 0
            else np.concatenate([np.zeros(-shift), heard])
        )
        moved = (moved * 0.2 + random.normal(0, noise, len(moved))).astype(np.float32)
        for start in range(0, len(moved) // 1024 * 1024, 1024):
            tone = av.AudioFrame.from_ndarray(moved[None, start : start + 1024], format="fltp", layout="mono")
            tone.sample_rate, tone.pts, tone.time_base = 48000, start, Fraction(1, 48000)
            out.mux(audio.encode(tone))
        out.mux(audio.encode())
    return path


@pytest.mark.parametrize(("late_s", "share", "noise"), [(0.0, 1.0, 0.0), (0.25, 0.4, 0.02), (-0.12, 0.3, 0.01)])
def test_a_recording_tells_how_late_its_picture_is(
    film: Path, tmp_path: Path, late_s: float, share: float, noise: float
) -> None:
    """Within half a frame, also where the film is small in the picture and the room is not quiet."""
    late = read_lateness(filmed(film, tmp_path / "a.mp4", late_s, share, noise))
    assert len(late) >= 5
    assert max(abs(each - late_s) for each in late) < 1 / 60


def test_a_recording_without_flashes_or_beeps_says_which(film: Path, tmp_path: Path) -> None:
    """And what to do."""
    with pytest.raises(InvalidInput, match="no beeps"):
        read_lateness(filmed(film, tmp_path / "noise.mp4", 0.0, noise=0.3))
    with pytest.raises(InvalidInput, match="no flashes"):
        read_lateness(filmed(film, tmp_path / "dark.mp4", 0.0, share=0.0))
    (tmp_path / "broken.mp4").write_bytes(b"no film")
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_lateness(tmp_path / "broken.mp4")
    with pytest.raises(FileExistsError):
        make_flash_video(film)


def seen(offset_ms: int, users_ms: int, delay_ms: int, path_ms: int) -> dict[str, object]:
    """What a run says of itself."""
    return {"way": "media", "offset_ms": offset_ms, "users_ms": users_ms, "delay_ms": delay_ms, "path_ms": path_ms}


def test_what_the_way_adds_is_what_is_missing() -> None:
    """50 ms late although 30 ms were thought of: the way adds 80. The user's own offset counts for nothing."""
    found = evaluate([0.045, 0.05, 0.055, 0.05], [seen(110, 20, 90, 30)] * 3)
    assert (found.way, round(found.path_ms), round(found.before_ms), found.flashes) == ("media", 80, 50, 4)
    lagging = evaluate([0.045, 0.05, 0.055, 0.05], [seen(100, 20, 90, 30)] * 3)
    assert round(lagging.path_ms) == 70


def test_nothing_is_made_of_too_little() -> None:
    """Few flashes, flashes that have nothing to do with the beeps, and a run that was not in time itself."""
    with pytest.raises(InvalidInput, match="Only 3"):
        evaluate([0.1, 0.1, 0.1], [seen(1, 0, 1, 0)])
    with pytest.raises(InvalidInput, match="nothing follows"):
        evaluate([-0.8, 0.1, 0.7, 0.2], [seen(1, 0, 1, 0)])
    with pytest.raises(InvalidInput, match="kept no sound"):
        evaluate([0.1] * 5, [{"way": "media", "delay_ms": None, "offset_ms": None}])
