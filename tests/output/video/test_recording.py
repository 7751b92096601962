"""Recordings: timing, sound, odd sizes, and what a full disk or a crash leaves."""

from __future__ import annotations

import itertools
import logging
import os
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import av
import numpy as np
import pytest

from livefilter.errors import InvalidInput, NameTaken, SinkLost, SinkUnavailable
from livefilter.frame import Frame
from livefilter.output.base import SinkOptions
from livefilter.output.video.recording import RecordingSink
from tests.conftest import frame, make_video, picture
from tests.output.video.sync import beeps, flashes, frames_of, make_sync_video, picture_times

# A frame at 30 fps, and an encoded piece of sound (1024 samples).
FRAME_S, PIECE_S = 1 / 30, 1024 / 48000


def options(width: int = 64, height: int = 48, media: Path | None = None, loop: bool = False) -> SinkOptions:
    """Those of a recording that takes frames as fast as they come."""
    return SinkOptions(width, height, 30.0, media, loop, live=False)


def record(path: Path, frames: list[Frame], wanted: SinkOptions) -> Path:
    """Record some frames."""
    with RecordingSink(str(path), wanted) as sink:
        for given in frames:
            sink.send(given)
    return path


def in_sync(path: Path, expected: list[float]) -> None:
    """Flashes and beeps come when expected, and together."""
    seen, heard = flashes(path), beeps(path)
    assert seen == pytest.approx(expected, abs=0.003)
    assert heard == pytest.approx(seen, abs=0.012)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm"])
def test_a_recording_holds_every_frame_once_at_its_time(tmp_path: Path, suffix: str) -> None:
    """Frames come back in number, order, size and timing, in every container."""
    times = [0.0, 0.04, 0.05, 0.2, 0.21, 0.7, 0.733]
    frames = [Frame(picture(64, 48, n), n, 100.0 + at) for n, at in enumerate(times)]
    path = record(tmp_path / f"out{suffix}", frames, options())
    assert picture_times(path) == pytest.approx(times, abs=0.001)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_only_its_owner_can_read_a_live_recording(tmp_path: Path) -> None:
    """What a camera saw has mode 0600; a rendered file is as the user's umask has it."""
    for live, wanted in ((True, 0o600), (False, 0o644)):
        path = tmp_path / f"{live}.mp4"
        before = os.umask(0o022)
        try:
            record(path, [frame()], SinkOptions(64, 48, 30.0, live=live))
        finally:
            os.umask(before)
        assert stat.S_IMODE(path.stat().st_mode) == wanted


def test_a_recording_is_tagged_as_what_it_is(tmp_path: Path) -> None:
    """The file says BT.709 and limited range, and a saturated colour comes back as it was."""
    red = np.zeros((48, 64, 3), np.uint8)
    red[:] = (20, 30, 200)
    path = record(tmp_path / "out.mp4", [Frame(red, 0, 0.0)], options())
    with av.open(str(path)) as container:
        shown = next(container.decode(video=0))
        tags = (int(shown.colorspace), int(shown.color_primaries), int(shown.color_trc), int(shown.color_range))
        back = shown.reformat(format="bgr24", src_colorspace="ITU709", src_color_range="MPEG").to_ndarray()
    assert tags == (1, 1, 1, 1)
    assert np.abs(back.astype(int) - red).max() <= 4


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
@pytest.mark.parametrize(("width", "height"), [(1, 1), (63, 47), (64, 47), (321, 180), (2, 1080)])
def test_odd_sizes_are_padded_by_their_own_edge(tmp_path: Path, width: int, height: int, suffix: str) -> None:
    """The picture keeps its place and scale, and the added column and row repeat the last ones."""
    given = np.full((height, width, 3), 60, np.uint8)
    given[:, -1] = given[-1] = 200
    path = record(tmp_path / f"out{suffix}", [Frame(given, 0, 0.0)], options(width, height))
    with av.open(str(path)) as container:
        back = next(container.decode(video=0)).to_ndarray(format="gray").astype(int)
    assert back.shape == (height + height % 2, width + width % 2)
    assert np.abs(back[:height, :width] - given[..., 0]).mean() < 12
    assert back[-1, -1] > 150


def test_a_repeated_frame_holds_instead_of_being_written_again(tmp_path: Path) -> None:
    """The output stage sends the last frame again on every beat; the file holds it once."""
    first, second = frame(number=0, captured_at=5.0), frame(number=1, captured_at=5.5)
    path = record(tmp_path / "out.mp4", [first, first, first, second, second], options())
    assert picture_times(path) == pytest.approx([0.0, 0.5], abs=0.001)


def test_sound_is_copied_unchanged_and_stays_in_sync(tmp_path: Path) -> None:
    """Without looping and from the start, flashes and beeps lie where they were, bit for bit the same sound."""
    media = make_sync_video(tmp_path / "in.mp4")
    path = record(tmp_path / "out.mp4", frames_of(media), options(media=media))
    in_sync(path, [0.5, 1.5, 2.5])
    with av.open(str(media)) as before, av.open(str(path)) as after:
        sent = [bytes(packet) for packet in before.demux(audio=0) if packet.size]
        kept = [bytes(packet) for packet in after.demux(audio=0) if packet.size]
    assert beeps(path) == pytest.approx(beeps(media), abs=0.0002)
    assert any(sent[start : start + len(kept)] == kept for start in range(4))
    assert len(kept) >= len(sent) - 4


def test_sound_follows_a_recording_that_starts_in_the_middle(tmp_path: Path) -> None:
    """A recording that is started while a file plays has the sound of its own pictures."""
    media = make_sync_video(tmp_path / "in.mp4")
    frames = [given for given in frames_of(media) if (given.media_s or 0.0) > 1.19]
    path = record(tmp_path / "out.mp4", frames, options(media=media))
    in_sync(path, [0.3, 1.3])


def test_sound_follows_a_file_that_plays_again(tmp_path: Path) -> None:
    """With --loop the sound starts again where the pictures do, in the second turn too."""
    media = make_sync_video(tmp_path / "in.mp4", seconds=2.2)
    path = record(tmp_path / "out.mp4", frames_of(media, loop=True), options(media=media, loop=True))
    in_sync(path, [0.5, 1.5, 2.7, 3.7])


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_sound_of_a_transport_stream_can_be_recorded(tmp_path: Path, suffix: str) -> None:
    """AAC is framed in another way in MPEG-TS; it is copied all the same and stays in sync."""
    media = make_sync_video(tmp_path / "in.ts")
    path = record(tmp_path / f"out{suffix}", frames_of(media), options(media=media))
    assert len(flashes(path)) == 3
    assert beeps(path) == pytest.approx(flashes(path), abs=0.012)


@pytest.mark.parametrize("suffix", [".mkv", ".ts", ".flv"])
def test_the_turns_of_sound_and_pictures_are_equally_long(tmp_path: Path, suffix: str) -> None:
    """Nothing adds up over hours of looping, whatever the container says of its end, B-frames included."""
    media = make_sync_video(tmp_path / f"in{suffix}", seconds=2.2, b_frames=2)
    path = record(tmp_path / "out.mp4", frames_of(media, loop=True), options(media=media, loop=True))
    assert len(flashes(path)) == 4
    assert beeps(path) == pytest.approx(flashes(path), abs=0.012)


def test_sound_follows_a_recording_that_starts_in_the_second_turn(tmp_path: Path) -> None:
    """Times go on across turns, so the moment in the file is found by the length of a turn."""
    media = make_sync_video(tmp_path / "in.mp4", seconds=2.2)
    frames = [given for given in frames_of(media, loop=True) if (given.media_s or 0.0) > 2.49]
    path = record(tmp_path / "out.mp4", frames, options(media=media, loop=True))
    in_sync(path, [0.2, 1.2])


def test_varying_frame_times_are_kept(tmp_path: Path) -> None:
    """A file whose rate varies is recorded with its own time stamps, in sync with its sound."""
    media = make_sync_video(tmp_path / "in.mp4", gap_s=0.8)
    path = record(tmp_path / "out.mp4", frames_of(media), options(media=media))
    assert picture_times(path) == pytest.approx(picture_times(media), abs=0.001)
    assert max(b - a for a, b in itertools.pairwise(picture_times(path))) > 0.6
    in_sync(path, [0.5, 1.5, 2.5])


@pytest.mark.parametrize(
    ("source", "target", "expected", "said"),
    [
        ("in.mkv:pcm_s16le", "out.mp4", "aac", "encoding it as aac"),
        ("in.mp4:aac", "out.webm", "opus", "encoding it as libopus"),
        ("in.mkv:libopus", "out.webm", "opus", None),
        ("in.mkv:pcm_s16le", "out.mkv", "pcm_s16le", None),
    ],
)
def test_sound_that_a_container_cannot_hold_is_encoded_anew_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, source: str, target: str, expected: str, said: str | None
) -> None:
    """Sound is copied where it can be; elsewhere it is encoded, in sync, and the log says so."""
    caplog.set_level(logging.INFO)
    name, _, codec = source.partition(":")
    media = make_sync_video(tmp_path / name, sound=codec)
    path = record(tmp_path / target, frames_of(media), options(media=media))
    with av.open(str(path)) as container:
        assert container.streams.audio[0].codec_context.name == expected
    in_sync(path, [0.5, 1.5, 2.5])
    assert (said in caplog.text) if said else ("encoding it" not in caplog.text)


def test_sound_ends_with_the_picture(tmp_path: Path) -> None:
    """A recording that is stopped early does not go on sounding over a still picture."""
    media = make_sync_video(tmp_path / "in.mp4")
    path = record(tmp_path / "out.mp4", frames_of(media)[:30], options(media=media))
    with av.open(str(path)) as container:
        last = max(float(sound.time or 0.0) for sound in container.decode(audio=0))
    assert last == pytest.approx(1.0, abs=PIECE_S + FRAME_S)


def test_a_file_without_sound_gives_a_recording_without_sound(tmp_path: Path) -> None:
    """Silence is no error."""
    media = make_video(tmp_path / "in.mp4")
    path = record(tmp_path / "out.mp4", frames_of(media), options(media=media))
    with av.open(str(path)) as container:
        assert not container.streams.audio


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
def test_a_finished_file_is_an_ordinary_one(tmp_path: Path, suffix: str) -> None:
    """The pieces that protect against a crash are gone at the end: editors and players see one whole film."""
    frames = [Frame(picture(64, 48, n), n, n / 30) for n in range(150)]
    content = record(tmp_path / f"out{suffix}", frames, options()).read_bytes()
    boxes, at = [], 0
    while at < len(content):
        boxes.append(content[at + 4 : at + 8])
        length = int.from_bytes(content[at : at + 4], "big")
        at += length if length > 1 else int.from_bytes(content[at + 8 : at + 16], "big")
    assert boxes.count(b"moov") == boxes.count(b"mdat") == 1
    assert b"moof" not in boxes
    with av.open(str(tmp_path / f"out{suffix}")) as container:
        assert container.streams.video[0].frames == 150
        assert container.duration == 5_000_000


def test_what_exists_is_never_overwritten(tmp_path: Path) -> None:
    """The error names the file and the two ways out, and the file keeps its content."""
    path = tmp_path / "mine.mp4"
    path.write_bytes(b"precious")
    for ask in (RecordingSink.check, lambda target: RecordingSink(target, options())):
        with pytest.raises(NameTaken, match=r"mine\.mp4 .*exists already.*another name or delete"):
            ask(str(path))
    assert path.read_bytes() == b"precious"


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("nowhere/out.mp4", SinkUnavailable, "no folder .*nowhere"),
        ("out.mp5", InvalidInput, "Did you mean .mp4"),
        ("out", InvalidInput, "Use one of .mp4"),
    ],
)
def test_a_bad_target_is_named_with_its_fix(tmp_path: Path, name: str, error: type[Exception], words: str) -> None:
    """Each error is one line that says which file and what to do, and leaves nothing behind."""
    for ask in (RecordingSink.check, lambda target: RecordingSink(target, options())):
        with pytest.raises(error, match=words) as caught:
            ask(str(tmp_path / name))
        assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_look_at_a_name_makes_no_file(tmp_path: Path) -> None:
    """Whether it can be had is asked before the camera is opened."""
    RecordingSink.check(str(tmp_path / "out.mp4"))
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform != "linux", reason="a folder that takes no file is /proc")
def test_a_folder_that_takes_no_file_is_not_called_missing() -> None:
    """It is there, so that creating it would not help."""
    with pytest.raises(SinkUnavailable, match=r"no file can be made in /proc\. Choose another folder"):
        RecordingSink("/proc/out.mp4", options())


@pytest.mark.parametrize(("width", "height"), [(0, 48), (64, 0), (-2, 48), (99999, 48)])
def test_an_absurd_size_is_refused_and_leaves_no_file(tmp_path: Path, width: int, height: int) -> None:
    """A size that cannot be encoded is an error at construction."""
    with pytest.raises(InvalidInput, match=f"{width}x{height}"):
        RecordingSink(str(tmp_path / "out.mp4"), options(width, height))
    assert not list(tmp_path.iterdir())


def test_a_recording_without_a_frame_leaves_no_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """An empty file would play nowhere, so it is removed, and said."""
    RecordingSink(str(tmp_path / "out.mp4"), options()).close()
    assert not list(tmp_path.iterdir())
    assert "Nothing was recorded" in caplog.text


_NOISE = """
import resource, signal, sys, os, numpy as np
from livefilter.errors import SinkLost
from livefilter.frame import Frame
from livefilter.output.base import SinkOptions
from livefilter.output.video.recording import RecordingSink
rng = np.random.default_rng(0)
sink = RecordingSink(sys.argv[1], SinkOptions(160, 120, 30.0, live=False))
def noise(count):
    for number in range(count):
        sink.send(Frame(rng.integers(0, 255, (120, 160, 3), np.uint8), number, number / 30))
"""


def _run(code: str, path: Path) -> subprocess.CompletedProcess[str]:
    script = _NOISE + textwrap.dedent(code)
    return subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, timeout=200)


@pytest.mark.skipif(sys.platform == "win32", reason="limits on file sizes are POSIX")
@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm"])
def test_a_full_disk_leaves_a_playable_file_and_one_clear_error(tmp_path: Path, suffix: str) -> None:
    """At the limit send or close raises SinkLost, once, and what fitted plays without an error."""
    path = tmp_path / f"out{suffix}"
    done = _run(
        """
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, 1_500_000))
        try:
            noise(300)
            sink.close()
        except SinkLost as error:
            print(error)
        sink.close()
        """,
        path,
    )
    assert done.returncode == 0, done.stderr
    assert "stopped: the file has reached the largest size allowed here" in done.stdout
    assert "playable" in done.stdout
    assert done.stdout.count("\n") == 1
    assert 700_000 < path.stat().st_size <= 1_500_000
    assert len(picture_times(path)) > 30


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm"])
def test_a_crash_leaves_a_playable_file(tmp_path: Path, suffix: str) -> None:
    """After a kill, everything but about the last two seconds is there."""
    path = tmp_path / f"out{suffix}"
    done = _run("noise(150); os.kill(os.getpid(), signal.SIGKILL)", path)
    assert done.returncode == -9
    assert len(picture_times(path)) >= 150 - 75


def test_nothing_more_is_taken_after_the_end(tmp_path: Path) -> None:
    """A closed recording raises instead of losing frames silently."""
    sink = RecordingSink(str(tmp_path / "out.mp4"), options())
    sink.send(frame())
    sink.close()
    with pytest.raises(SinkLost, match="new file"):
        sink.send(frame(number=1))


@pytest.mark.clips
def test_a_real_clip_keeps_its_frames_length_and_sound(clips: Path, tmp_path: Path) -> None:
    """Every picture at its own time, and the sound for as long as the picture lasts."""
    media = clips / "street-540x960.mp4"
    frames = frames_of(media)[:90]
    wanted = SinkOptions(frames[0].width, frames[0].height, 30.0, media, live=False)
    path = record(tmp_path / "out.mp4", frames, wanted)
    start = frames[0].media_s or 0.0
    assert picture_times(path) == pytest.approx([(given.media_s or 0.0) - start for given in frames], abs=0.001)
    with av.open(str(media)) as before, av.open(str(path)) as after:
        first = next(before.decode(audio=0)).time
        assert next(after.decode(audio=0)).time == pytest.approx(first, abs=0.001)
