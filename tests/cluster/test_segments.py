"""Videos that are cut, styled part by part and joined."""

from __future__ import annotations

import hashlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from livefilter.cluster.look import file_facts
from livefilter.cluster.segments import CutFailed, join_segments, style_segment
from livefilter.cluster.tasks import Span
from livefilter.frame import Image
from livefilter.live.open_files import file_openers
from livefilter.output.video import encoders
from livefilter.output.video.encoders import Container
from livefilter.render import Openers, render_path
from tests.capture.fakes import turn_video
from tests.conftest import picture

OPENERS = file_openers(encoder_threads=1)


def invert(image: Image) -> Image:
    """A style that is easy to see."""
    return 255 - image


@pytest.fixture
def lossless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of a codec that changes no pixel, so that what is read back is what was styled."""
    exact = {"preset": "ultrafast", "qp": "0", "bf": "0"}
    for suffix, kind in list(encoders.FILES.items()):
        if kind.codec == "libx264":
            made = Container(kind.name, codec_options=exact, container_options=kind.container_options)
            monkeypatch.setitem(encoders.FILES, suffix, made)


def film(
    path: Path, parameters: str, *, sound: bool = True, times: Any = None, count: int = 120, codec: str = "libx264"
) -> Path:
    """A film of 30 frames per second with a key frame every 15, encoded as `parameters` say; times: in ms."""
    container: Any
    with av.open(str(path), "w") as container:
        options = {"x264-params": f"keyint=15:min-keyint=15:scenecut=0:{parameters}"} if codec == "libx264" else {}
        options |= {"g": "15"} if codec != "libx264" else {}
        video = container.add_stream(codec, rate=30, options=options)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        video.codec_context.time_base = Fraction(1, 1000)
        beep: Any = container.add_stream("aac", rate=48000, layout="mono") if sound else None
        noise = np.random.default_rng(7)
        for number in range(count):
            image = (picture(number=number).astype(int) // 2 + noise.integers(0, 120, (48, 64, 3))).astype(np.uint8)
            given = av.VideoFrame.from_ndarray(image, format="bgr24")
            given.pts = times[number] if times is not None else round(number * 1000 / 30)
            given.time_base = Fraction(1, 1000)
            container.mux(video.encode(given))
        container.mux(video.encode())
        for start in range(0, 48000 * count // 30 if beep is not None else 0, 1024):
            tone = av.AudioFrame.from_ndarray(np.full((1, 1024), 0.1, np.float32), format="fltp", layout="mono")
            tone.sample_rate, tone.pts, tone.time_base = 48000, start, Fraction(1, 48000)
            container.mux(beep.encode(tone))
        if beep is not None:
            container.mux(beep.encode())
    return path


def cut_and_joined(source: Path, target: Path, cut_s: float = 1.0, openers: Openers = OPENERS) -> int:
    """Style a film in parts, the last one first; how many there were."""
    facts = file_facts(source, cut_s)
    parts = [target.with_name(f"{target.stem}-{place}{target.suffix}") for place in range(len(facts.spans))]
    last_s = 0.0
    for place in reversed(range(len(parts))):
        made = style_segment(source, facts.spans[place], parts[place], invert, openers, lambda done: None)
        assert made.frames == facts.spans[place].frames
        last_s = made.last_lasts_s if place == len(parts) - 1 else last_s
    assert sum(span.frames for span in facts.spans) == facts.frames
    join_segments(source, parts, target, "default", last_s, lambda done: None)
    return len(parts)


def pictures(path: Path) -> list[tuple[int | None, str]]:
    """Time stamp and SHA-256 of each picture."""
    container: Any
    with av.open(str(path)) as container:
        return [
            (frame.pts, hashlib.sha256(frame.to_ndarray().tobytes()).hexdigest()) for frame in container.decode(video=0)
        ]


def packets(path: Path) -> list[tuple[int, int | None, int | None, int | None]]:
    """Stream, time stamps and duration of each packet, stream by stream."""
    container: Any
    with av.open(str(path)) as container:
        found = [(one.stream.index, one.pts, one.dts, one.duration) for one in container.demux() if one.size]
    return sorted(found, key=lambda one: one[0])


def described(path: Path) -> list[Any]:
    """What a file says of its streams and of itself."""
    container: Any
    with av.open(str(path)) as container:
        told: list[Any] = [container.duration, container.start_time]
        for stream in container.streams:
            told += [stream.type, stream.time_base, stream.start_time, stream.duration, stream.frames]
        video = container.streams.video[0]
        context = video.codec_context
        told += [video.average_rate, context.width, context.height, context.pix_fmt]
        told += [context.colorspace, context.color_primaries, context.color_trc, context.color_range]
    return told


FILMS = {
    "plain": ("bframes=0", None),
    "b-frames": ("bframes=3:b-pyramid=normal", None),
    "open groups": ("bframes=3:open-gop=1", None),
    "variable rate": ("bframes=2", [number * 33 + (number // 7) * 90 for number in range(120)]),
    "starts late": ("bframes=2", [1500 + number * 33 for number in range(120)]),
}


@pytest.mark.usefixtures("lossless")
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize("kind", FILMS)
def test_each_styled_frame_of_a_cut_film_is_that_of_the_whole_one(kind: str, suffix: str, tmp_path: Path) -> None:
    """Bit for bit, at the same time, with the same sound, the same duration and the same tags."""
    parameters, times = FILMS[kind]
    source = film(tmp_path / f"in{suffix}", parameters, times=times)
    whole, joined = tmp_path / f"whole{suffix}", tmp_path / f"joined{suffix}"
    render_path(source, whole, invert, OPENERS, report=lambda done, total: None)
    assert cut_and_joined(source, joined) >= 3
    assert pictures(joined) == pictures(whole)
    assert packets(joined) == packets(whole)
    assert described(joined) == described(whole)


@pytest.mark.usefixtures("lossless")
def test_a_turned_film_is_cut_upright(tmp_path: Path) -> None:
    """The turn is written beside the pictures, and every part heeds it."""
    made = film(tmp_path / "made.mp4", "bframes=0", sound=False)
    source = turn_video(made, tmp_path / "in.mp4", (0, 1, -1, 0))
    whole, joined = tmp_path / "whole.mp4", tmp_path / "joined.mp4"
    render_path(source, whole, invert, OPENERS, report=lambda done, total: None)
    assert cut_and_joined(source, joined) >= 3
    assert pictures(joined) == pictures(whole)
    assert described(joined) == described(whole)
    with av.open(str(joined)) as container:
        assert (container.streams.video[0].width, container.streams.video[0].height) == (48, 64)


def test_a_join_starts_at_a_closed_group_of_pictures(tmp_path: Path) -> None:
    """With the usual encoder: every part begins with an IDR picture, so that any player may start there."""
    source = film(tmp_path / "in.mp4", "bframes=3:open-gop=1")
    cut_and_joined(source, tmp_path / "out.mp4")
    container: Any
    starts = [span.start for span in file_facts(source, 1.0).spans if span.start is not None]
    with av.open(str(source)) as container:
        tick = container.streams.video[0].time_base
    with av.open(str(tmp_path / "out.mp4")) as container:
        keys = {round(float(one.pts * one.time_base), 3) for one in container.demux(video=0) if one.is_keyframe}
    assert {round(float(start * tick), 3) for start in starts} <= keys


def test_vp9_is_joined_as_well(tmp_path: Path) -> None:
    """With all pictures at their times."""
    source = film(tmp_path / "in.mp4", "bframes=0")
    whole, joined = tmp_path / "whole.webm", tmp_path / "joined.webm"
    render_path(source, whole, invert, OPENERS, report=lambda done, total: None)
    assert cut_and_joined(source, joined) >= 3
    assert [at for at, _ in pictures(joined)] == [at for at, _ in pictures(whole)]
    assert described(joined) == described(whole)


@pytest.mark.parametrize("why", ["short", "avi", "joined recordings"])
def test_what_is_better_left_whole_is_not_cut(why: str, tmp_path: Path) -> None:
    """A short film, a container that cannot seek exactly, and one whose time stamps start again."""
    if why == "avi":
        source = film(tmp_path / "in.avi", "", codec="mpeg4", sound=False)
    else:
        source = film(tmp_path / "in.ts" if "joined" in why else tmp_path / "in.mp4", "bframes=0", count=40)
    if "joined" in why:
        source.write_bytes(source.read_bytes() * 3)
    assert file_facts(source, 1.0).spans == ()


def test_a_part_with_other_pictures_than_the_index_tells_is_refused(tmp_path: Path) -> None:
    """The film is then styled whole; nothing is lost without a word."""
    source = film(tmp_path / "in.mp4", "bframes=0")
    first = file_facts(source, 1.0).spans[0]
    wrong = Span(first.seek, first.start, first.end, first.frames + 1)
    with pytest.raises(CutFailed, match="styled whole"):
        style_segment(source, wrong, tmp_path / "part.mp4", invert, OPENERS, lambda done: None)


def test_parts_that_were_encoded_otherwise_are_not_joined(tmp_path: Path) -> None:
    """No player could show the second one."""
    source = film(tmp_path / "in.mp4", "bframes=0")
    spans = file_facts(source, 1.0).spans
    parts = [tmp_path / "a.mp4", tmp_path / "b.mp4"]
    style_segment(source, spans[0], parts[0], invert, OPENERS, lambda done: None)
    film(parts[1], "bframes=2:ref=4", sound=False, count=30)
    with pytest.raises(CutFailed, match="other settings"):
        join_segments(source, parts, tmp_path / "out.mp4", "default", 0.0, lambda done: None)
