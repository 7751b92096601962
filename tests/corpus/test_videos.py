"""Containers, codecs, rates, turns and sound, compared with the decode of the program ffmpeg."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from livefilter.capture.base import SourceOptions
from livefilter.capture.video_file import VideoFileSource
from livefilter.errors import EndOfStream
from livefilter.frame import Frame
from livefilter.live.open_files import file_openers
from livefilter.render import render_path

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs the program ffmpeg"),
]

SECONDS = 1.2
COLOURS = 2.0  # levels, on average over a picture


@dataclass(frozen=True)
class Case:
    """One input: how ffmpeg makes it."""

    suffix: str
    video: str
    sound: str = ""
    rate: str = "25"
    size: str = "96x64"
    more: tuple[str, ...] = ()
    sound_filter: str = "sine=frequency=440:sample_rate=48000"
    sound_s: float = SECONDS
    sound_at_s: float = 0.0

    def __str__(self) -> str:
        extra = "_".join(one.strip("-") for one in self.more)
        sound = f"{self.sound}{'' if self.sound_s == SECONDS else self.sound_s}{self.sound_at_s or ''}"
        return f"{self.suffix[1:]}-{self.video}-{sound}-{self.rate.replace('/', ':')}-{self.size}-{extra}"


KINDS = [
    (".mp4", "libx264", "aac"),
    (".mp4", "libx265", "aac"),
    (".mp4", "mpeg4", "libmp3lame"),
    (".mp4", "libvpx-vp9", "libopus"),
    (".mov", "libx264", "pcm_s16le"),
    (".mov", "prores_ks", "pcm_s24le"),
    (".mov", "mjpeg", "pcm_s16be"),
    (".mkv", "libx264", "flac"),
    (".mkv", "libx265", "ac3"),
    (".mkv", "libvpx", "libvorbis"),
    (".mkv", "ffv1", "pcm_s16le"),
    (".mkv", "mpeg2video", "mp2"),
    (".webm", "libvpx", "libvorbis"),
    (".webm", "libvpx-vp9", "libopus"),
    (".avi", "mpeg4", "libmp3lame"),
    (".avi", "mjpeg", "pcm_s16le"),
    (".avi", "libx264", "libmp3lame"),
    (".avi", "huffyuv", "adpcm_ima_wav"),
    (".ts", "libx264", "aac"),
    (".ts", "mpeg2video", "mp2"),
    (".m2ts", "libx264", "ac3"),
    (".mpg", "mpeg2video", "mp2"),
    (".vob", "mpeg2video", "ac3"),
    (".flv", "flv", "libmp3lame"),
    (".flv", "libx264", "aac"),
    (".wmv", "wmv2", "wmav2"),
    (".ogv", "libtheora", "libvorbis"),
    (".nut", "libx264", "aac"),
]
FIXED_RATES = ("mpeg2video",)
CASES = [
    Case(*kind, rate)
    for kind in KINDS
    for rate in ("25", "30000/1001", "12")
    if rate != "12" or kind[1] not in FIXED_RATES
]
CASES += [
    Case(suffix, "libx264", "aac", more=("-metadata:s:v", f"rotate={turn}"))
    for suffix in (".mp4", ".mov")
    for turn in (90, 180, 270)
]
CASES += [
    Case(".mkv", codec, more=("-pix_fmt", pixels))
    for codec, pixels in (
        ("libx264", "yuv420p10le"),
        ("libx264", "yuv422p"),
        ("libx264", "yuv444p"),
        ("libx264", "gray"),
        ("ffv1", "bgr0"),
        ("ffv1", "yuv420p16le"),
        ("mjpeg", "yuvj420p"),
        ("mjpeg", "yuvj444p"),
    )
]
CASES += [Case(".mkv", "ffv1", size=size, more=("-pix_fmt", "bgr0")) for size in ("63x47", "4x4", "640x2", "2x640")]
CASES += [
    Case(suffix, "libx264", "aac", sound_filter=f"sine=frequency=440:sample_rate={rate}", more=("-ac", channels))
    for suffix in (".mp4", ".mkv")
    for rate, channels in ((8000, "1"), (22050, "2"), (44100, "2"), (96000, "2"), (48000, "6"))
]
CASES += [
    Case(suffix, "libx264", "aac", sound_s=sound_s, sound_at_s=at_s)
    for suffix in (".mp4", ".mkv", ".ts")
    for sound_s, at_s in ((0.5, 0.0), (3.0, 0.0), (1.2, 0.5), (0.5, 1.0))
]
CASES += [
    Case(".mp4", "libx264", "aac", more=("-vf", "select='lt(n,8)+eq(n,28)'", "-vsync", "vfr")),
    Case(".mkv", "libx264", "aac", more=("-vf", "select='not(mod(n,7))'", "-vsync", "vfr")),
    Case(".mp4", "libx264", "aac", more=("-bf", "3", "-movflags", "frag_keyframe+empty_moov")),
    Case(".mp4", "libx264", "aac", more=("-vf", "setsar=4/3")),
    Case(".mkv", "libx264", "aac", more=("-flags", "+ilme+ildct", "-top", "1")),
]


def ffmpeg(*arguments: str) -> bytes:
    """Run it; what it wrote to its output."""
    command = ["ffmpeg", "-hide_banner", "-loglevel", "error", "-y", *arguments]
    done = subprocess.run(command, capture_output=True, timeout=120, check=False)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        if "nknown encoder" in said:
            pytest.skip(said)
        pytest.fail(said)
    return done.stdout


def probe(path: Path) -> dict[str, Any]:
    """Streams and times of packets, as ffprobe sees them."""
    command = ["ffprobe", "-v", "error", "-show_packets", "-show_streams", "-show_format", "-of", "json", str(path)]
    found: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, timeout=60, check=True).stdout)
    return found


def make(case: Case, folder: Path) -> Path:
    """The input."""
    path = folder / f"in{case.suffix}"
    # Soft, so that colours are compared and not the ways in which versions of FFmpeg scale hard edges of 4:2:0.
    picture = f"testsrc2=size={case.size}:rate={case.rate}:duration={SECONDS},gblur=sigma=4"
    inputs = ["-f", "lavfi", "-i", picture]
    if case.sound:
        sound = f"{case.sound_filter}:duration={case.sound_s}"
        inputs += ["-itsoffset", str(case.sound_at_s), "-f", "lavfi", "-i", sound]
    pixels = [] if "-pix_fmt" in case.more else ["-pix_fmt", "yuv422p10le" if case.video == "prores_ks" else "yuv420p"]
    if case.video == "huffyuv":
        pixels = ["-pix_fmt", "yuv422p"]
    elif case.video == "mjpeg" and not case.more:
        pixels = ["-pix_fmt", "yuvj420p"]
    quality = ["-q:v", "3"] if case.video in ("mpeg4", "mpeg2video", "flv", "wmv2", "libtheora") else []
    sound_codec = ["-c:a", case.sound] if case.sound else []
    ffmpeg(*inputs, "-c:v", case.video, *pixels, *quality, *sound_codec, *case.more, str(path))
    return path


def read_all(path: Path) -> list[Frame]:
    """Every frame, as livefilter reads it."""
    frames = []
    with VideoFileSource(str(path), SourceOptions()) as source:
        try:
            while True:
                frames.append(source.read())
        except EndOfStream:
            assert source.damage is None
    return frames


def sound_span(packets: list[dict[str, Any]], index: int) -> tuple[float, float]:
    """When a stream's sound starts and ends."""
    found = [one for one in packets if one["stream_index"] == index and "pts_time" in one]
    times = [(float(one["pts_time"]), float(one.get("duration_time", 0))) for one in found]
    return min(at for at, _ in times), max(at + lasts for at, lasts in times)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_video_is_what_ffmpeg_says(case: Case, tmp_path: Path) -> None:
    """Frames, size, turn, colours, times, and the sound's start and end."""
    path = make(case, tmp_path)
    frames = read_all(path)
    width, height = frames[0].width, frames[0].height
    # By itself ffmpeg takes the colours of two fields for those of one picture.
    fields = ":interl=1" if "+ilme+ildct" in case.more else ""
    square = ["-vf", f"scale={width}:{height}:flags=bicubic{fields}"] if width > 1 else []
    raw = ffmpeg("-i", str(path), "-map", "0:v:0", *square, "-vsync", "0", "-f", "rawvideo", "-pix_fmt", "bgr24", "-")
    expected = np.frombuffer(raw, np.uint8).reshape(-1, height, width, 3)
    assert len(frames) == len(expected)
    apart = [np.abs(one.image.astype(int) - other).mean() for one, other in zip(frames, expected, strict=True)]
    assert max(apart) <= COLOURS

    target = tmp_path / "out.mkv"
    render_path(path, target, lambda image: image, file_openers(), report=lambda done, total: None)
    before, after = probe(path), probe(target)
    step_s = 1 / eval_rate(case.rate)
    times = [one.media_s or 0.0 for one in frames]
    made = sorted(float(one["pts_time"]) for one in after["packets"] if one["codec_type"] == "video")
    assert made == pytest.approx(times, abs=0.002)
    if case.sound:
        indices = [
            next(one["index"] for one in found["streams"] if one["codec_type"] == "audio") for found in (before, after)
        ]
        # Times of a container start anywhere; ours start at the earliest of all streams.
        zero_s = float(before["format"].get("start_time", 0))
        start_s, end_s = sound_span(before["packets"], indices[0])
        made_start_s, made_end_s = sound_span(after["packets"], indices[1])
        # A decoder may need a packet before its first sound, and an encoder fills its last one.
        lengths = [
            float(one.get("duration_time", 0))
            for found in (before, after)
            for one in found["packets"]
            if one["codec_type"] == "audio"
        ]
        assert made_start_s == pytest.approx(max(start_s - zero_s, 0.0), abs=step_s + max(lengths))
        assert made_end_s == pytest.approx(end_s - zero_s, abs=max(step_s, *lengths))


def eval_rate(rate: str) -> float:
    """Frames per second of "30000/1001" and the like."""
    over, _, under = rate.partition("/")
    return float(over) / float(under or 1)
