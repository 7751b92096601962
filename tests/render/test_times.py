"""A render lasts as long as what it was made of, with the sound where it was."""

from __future__ import annotations

import os
import threading
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from livefilter.frame import Image
from livefilter.live.open_files import file_openers
from livefilter.render import Rendered, render_path
from tests.conftest import make_video, picture
from tests.output.video.sync import beeps, flashes, make_sync_video, picture_times

RATE = 48000


def same(image: Image) -> Image:
    """No style."""
    return image


def rendered(source: Path, target: Path, **settings: Any) -> Rendered:
    """Render without showing progress."""
    return render_path(source, target, same, file_openers(), report=lambda done, total: None, **settings)


def film(
    path: Path,
    times_s: list[float],
    sounds: list[tuple[float, float, float]] = (),  # type: ignore[assignment]
    codec: str = "libx264",
    sound_codec: str = "aac",
    **settings: Any,
) -> Path:
    """Write pictures at these times, and sounds: (start, seconds, hertz) each."""
    with av.open(str(path), "w", **settings) as container:
        video: Any = container.add_stream(codec, rate=25, options={"bf": "0"} if codec == "libx264" else {})
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        video.codec_context.time_base = Fraction(1, 1000) if codec == "libx264" else Fraction(1, 25)
        tracks: list[Any] = [container.add_stream(sound_codec, rate=RATE, layout="mono") for _ in sounds]
        if len(tracks) > 1:
            for track in tracks:
                track.disposition = av.stream.Disposition.default if track is tracks[-1] else av.stream.Disposition(0)
        for number, at_s in enumerate(times_s):
            given = av.VideoFrame.from_ndarray(picture(64, 48, number), format="bgr24")
            given.time_base = video.codec_context.time_base
            given.pts = round(at_s / given.time_base)
            container.mux(video.encode(given))
        container.mux(video.encode())
        for track, (start_s, seconds, hertz) in zip(tracks, sounds, strict=True):
            tone = 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(RATE * seconds)) / RATE)
            samples = (tone * 32767).astype(np.int16)
            for start in range(0, len(samples), 1024):
                piece = av.AudioFrame.from_ndarray(samples[None, start : start + 1024], format="s16", layout="mono")
                piece.sample_rate, piece.time_base = RATE, Fraction(1, RATE)
                piece.pts = round(start_s * RATE) + start
                container.mux(track.encode(piece))
            container.mux(track.encode())
    return path


def sound_of(path: Path, track: int = 0) -> tuple[float, float, float]:
    """Start, end and hertz of a track."""
    with av.open(str(path)) as container:
        frames: list[Any] = list(container.decode(audio=track))
        rate = frames[0].sample_rate
        samples = np.concatenate([frame.to_ndarray().mean(axis=0) for frame in frames]).astype(float)
        start_s, end_s = float(frames[0].time or 0), float(frames[-1].time or 0) + frames[-1].samples / rate
    hertz = float(np.argmax(np.abs(np.fft.rfft(samples)))) * rate / len(samples)
    return start_s, end_s, hertz


def even(count: int, start_s: float = 0.0) -> list[float]:
    """Times at 25 a second."""
    return [start_s + number / 25 for number in range(count)]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_sound_goes_on_behind_the_last_picture(tmp_path: Path, suffix: str) -> None:
    """Both where the picture ends early and where the last one is held."""
    source = film(tmp_path / "in.mkv", even(25), [(0, 4, 440)])
    rendered(source, tmp_path / f"out{suffix}")
    assert sound_of(tmp_path / f"out{suffix}")[1] == pytest.approx(4.0, abs=0.05)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov", ".webm"])
def test_sound_before_the_first_picture_stays(tmp_path: Path, suffix: str) -> None:
    """The first picture comes when it came."""
    source = film(tmp_path / "in.mkv", even(50, 2.0), [(0, 4, 440)])
    rendered(source, tmp_path / f"out{suffix}")
    start_s, end_s, _ = sound_of(tmp_path / f"out{suffix}")
    assert [start_s, end_s] == pytest.approx([0, 4.0], abs=0.06)
    assert picture_times(tmp_path / f"out{suffix}") == pytest.approx(even(50, 2.0), abs=0.002)


def test_a_gap_in_sound_stays_where_the_sound_is_encoded_anew(tmp_path: Path) -> None:
    """Silence fills it; otherwise all that follows would come early."""
    source = make_sync_video(tmp_path / "in.mkv", sound="pcm_s16le")
    holed = tmp_path / "holed.mkv"
    with av.open(str(source)) as given, av.open(str(holed), "w") as made:
        outs = [made.add_stream_from_template(stream) for stream in given.streams]
        for packet in given.demux():
            if packet.dts is None or (
                packet.stream.type == "audio" and 0.8 < float((packet.pts or 0) * (packet.time_base or 0)) < 1.3
            ):
                continue
            packet.stream = outs[packet.stream.index]
            made.mux(packet)
    rendered(holed, tmp_path / "out.mp4")
    assert beeps(tmp_path / "out.mp4") == pytest.approx(flashes(tmp_path / "out.mp4"), abs=0.03)


@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
def test_avi_with_b_frames_keeps_even_times(tmp_path: Path, codec: str) -> None:
    """AVI has no times of presentation."""
    path = tmp_path / "in.avi"
    with av.open(str(path), "w") as container:
        video: Any = container.add_stream(codec, rate=25, options={"bf": "2"})
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        for number in range(50):
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture(64, 48, number), format="bgr24")))
        container.mux(video.encode())
    result = rendered(path, tmp_path / "out.mp4")
    steps = np.diff(picture_times(tmp_path / "out.mp4"))
    assert result.frames == 50
    assert steps == pytest.approx([0.04] * 49, abs=0.002)


@pytest.mark.parametrize("target", ["out.mp4", "out.mov", "out.mkv", "out.webm"])
@pytest.mark.parametrize(
    ("source", "codec"), [("in.avi", "libmp3lame"), ("in.avi", "adpcm_ima_wav"), ("in.mov", "pcm_alaw")]
)
def test_sound_of_old_containers_goes_into_all_new_ones(tmp_path: Path, source: str, codec: str, target: str) -> None:
    """Copied or encoded anew, as long as it was."""
    film(tmp_path / source, even(50), [(0, 2, 440)], "mpeg4", codec)
    rendered(tmp_path / source, tmp_path / target)
    start_s, end_s, hertz = sound_of(tmp_path / target)
    assert end_s - start_s == pytest.approx(2.0, abs=0.1)
    assert hertz == pytest.approx(440, abs=3)


def test_the_default_track_is_taken_and_all_on_request(tmp_path: Path) -> None:
    """The second one is marked as default."""
    source = film(tmp_path / "in.mkv", even(25), [(0, 1, 440), (0, 1, 880)])
    rendered(source, tmp_path / "one.mp4")
    assert sound_of(tmp_path / "one.mp4")[2] == pytest.approx(880, abs=3)
    rendered(source, tmp_path / "all.mp4", tracks="all")
    assert [sound_of(tmp_path / "all.mp4", track)[2] for track in (0, 1)] == pytest.approx([440, 880], abs=3)
    rendered(source, tmp_path / "none.mp4", tracks="none")
    with av.open(str(tmp_path / "none.mp4")) as made:
        assert not made.streams.audio


def test_joined_recordings_play_one_after_the_other(tmp_path: Path) -> None:
    """The second one's time stamps start again; its sound stays with its pictures."""
    one = make_sync_video(tmp_path / "one.ts", seconds=2)
    (tmp_path / "two.ts").write_bytes(one.read_bytes() * 2)
    rendered(tmp_path / "two.ts", tmp_path / "out.mp4")
    seen, heard = flashes(tmp_path / "out.mp4"), beeps(tmp_path / "out.mp4")
    assert seen == pytest.approx([0.5, 1.5, 2.5, 3.5], abs=0.1)
    assert heard == pytest.approx(seen, abs=0.05)


@pytest.mark.parametrize("name", ["2024-05-01T12:30.mp4", "Movie: Title.mp4"])
def test_a_name_with_a_colon_keeps_its_sound(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """FFmpeg takes what stands before it for a protocol."""
    monkeypatch.chdir(tmp_path)
    make_video(Path("plain.mp4"), audio=True).rename(name)
    rendered(Path(name), Path("out.mp4"))
    assert sound_of(Path("out.mp4"))[2] == pytest.approx(440, abs=3)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_named_pipe_is_read_once(tmp_path: Path) -> None:
    """Every frame and the sound arrive."""
    source = make_sync_video(tmp_path / "in.ts")
    pipe = tmp_path / "pipe.ts"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(source.read_bytes()), daemon=True)
    writer.start()
    result = rendered(pipe, tmp_path / "out.mp4")
    writer.join(10)
    assert result.frames == 90
    assert len(beeps(tmp_path / "out.mp4")) == 3


def test_a_cut_off_video_is_rendered_and_said(tmp_path: Path) -> None:
    """How much there is of how much."""
    whole = make_video(tmp_path / "whole.mp4", 160, 120, seconds=4)
    fast = tmp_path / "fast.mp4"
    with (
        av.open(str(whole)) as given,
        av.open(str(fast), "w", options={"movflags": "faststart"}) as made,
    ):
        out = made.add_stream_from_template(given.streams.video[0])
        for packet in given.demux(video=0):
            if packet.dts is not None:
                packet.stream = out
                made.mux(packet)
    content = fast.read_bytes()
    (tmp_path / "torn.mp4").write_bytes(content[: len(content) * 6 // 10])
    result = rendered(tmp_path / "torn.mp4", tmp_path / "out.mp4")
    assert 10 < result.frames < 110
    assert len(result.bad) == 1
    assert "cut off" in result.bad[0]
    assert "4.0 s" in result.bad[0]
    assert rendered(whole, tmp_path / "whole-out.mp4").bad == ()


def test_packets_shorter_than_a_tick_all_stay(tmp_path: Path) -> None:
    """Matroska counts milliseconds, so that two packets of TrueHD may have one time; both are sound."""
    silent = make_video(tmp_path / "film.mkv", seconds=0.4)
    path = tmp_path / "in.mkv"
    with av.open(str(silent)) as source, av.open(str(path), "w") as made:
        pictures = made.add_stream_from_template(source.streams.video[0])
        sound: Any = made.add_stream("pcm_s16le", rate=48000, layout="mono")
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = pictures
                made.mux(packet)
        for number in range(480):
            tone = av.AudioFrame.from_ndarray(np.full((1, 40), number, np.int16), format="s16", layout="mono")
            tone.sample_rate, tone.pts, tone.time_base = 48000, number * 40, Fraction(1, 48000)
            made.mux(sound.encode(tone))
        made.mux(sound.encode(None))
    result = rendered(path, tmp_path / "out.mkv")
    with av.open(str(result.target)) as container:
        levels = [int(one) for frame in container.decode(audio=0) for one in frame.to_ndarray()[0]]
    assert sorted(levels) == [number for number in range(480) for _ in range(40)]
