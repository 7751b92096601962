"""Subtitles through `render`."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from livefilter.frame import Image
from livefilter.live.open_files import file_openers
from livefilter.render import Rendered, render_path
from tests.cli.test_run import livefilter
from tests.conftest import make_video

# When each is shown in milliseconds, for how long, and what it says; the last one lies behind the last picture.
LINES = ((0, 200, ""), (200, 500, "hello"), (700, 300, ""), (1000, 500, "world"), (5000, 1000, "late"))
SHOWN = [(at / 1000, lasts / 1000, text) for at, lasts, text in LINES if text]

# Encoders of subtitles want one of ASS; it says how lines are styled.
HEADER = b"""[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize
Style: Default,Arial,16

[Events]
Format: Layer, Start, End, Style, Text
"""


def same(image: Image) -> Image:
    """No style at all."""
    return image


def titled(path: Path, codec: str, sound: bool, fonts: dict[str, tuple[str, bytes]] | None = None) -> Path:
    """A video of two seconds with subtitles in English; fonts: type and bytes of what is attached, by name."""
    film = make_video(path.with_name(f"film{path.suffix}"), seconds=2.0, audio=sound)
    with av.open(str(film)) as source, av.open(str(path), "w") as container:
        outputs: dict[int, Any] = {one.index: container.add_stream_from_template(one) for one in source.streams}
        for name, (kind, content) in (fonts or {}).items():
            container.add_attachment(name, kind, content)
        titles: Any = container.add_stream(codec)
        titles.codec_context.subtitle_header = HEADER
        titles.metadata["language"] = "eng"
        titles.time_base = Fraction(1, 1000)
        for at, lasts, text in LINES:
            data = text.encode()
            if codec == "mov_text":
                data = len(data).to_bytes(2, "big") + data  # 3GPP TS 26.245, 5.2
            elif not data:
                continue
            packet: Any = av.Packet(data)
            packet.stream, packet.time_base = titles, Fraction(1, 1000)
            packet.pts = packet.dts = at
            packet.duration = lasts
            container.mux(packet)
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = outputs[packet.stream.index]
                container.mux(packet)
    return path


def titles_of(path: Path) -> list[tuple[float, float, str]]:
    """When each line is shown in seconds, for how long, and what it says."""
    found = []
    with av.open(str(path)) as container:
        zero_s = container.start_time / av.time_base
        packet: Any
        for packet in container.demux(container.streams.subtitles[0]):
            text = bytes(packet)[2 if packet.stream.codec_context.name == "mov_text" else 0 :].decode()
            if text and packet.pts is not None:
                shown_s = float(packet.pts * packet.time_base) - zero_s
                found.append((shown_s, float(packet.duration * packet.time_base), text))
    return found


def rendered(source: Path, target: Path) -> Rendered:
    """Render without a style and without showing progress."""
    return render_path(source, target, same, file_openers(), report=lambda done, total: None)


@pytest.mark.parametrize("sound", [False, True])
@pytest.mark.parametrize(
    ("source", "target", "codec"), [("in.mkv", "out.mkv", "subrip"), ("in.mp4", "out.mp4", "mov_text")]
)
def test_subtitles_are_copied_where_the_container_can_hold_them(
    source: str, target: str, codec: str, sound: bool, tmp_path: Path
) -> None:
    """At their times, with their language, up to the last one."""
    film = titled(tmp_path / source, codec, sound)
    result = rendered(film, tmp_path / target)
    assert result.notice is None
    wanted, got = titles_of(film), titles_of(result.target)
    assert [one[2] for one in got] == ["hello", "world", "late"]
    for shown, (at_s, lasts_s, _) in zip(got, wanted, strict=True):
        assert shown[:2] == pytest.approx((at_s, lasts_s), abs=0.002)
    assert [one[1] for one in got] == pytest.approx([one[1] for one in SHOWN], abs=0.002)
    with av.open(str(result.target)) as container:
        (stream,) = container.streams.subtitles
        assert stream.metadata["language"] == "eng"


def test_attached_fonts_are_copied_with_the_subtitles(tmp_path: Path) -> None:
    """Whole, under their names; what else is attached is none of ours."""
    ones = {"a.ttf": ("application/x-truetype-font", bytes(range(256)) * 40), "b.otf": ("font/otf", b"OTTO" * 9)}
    film = titled(tmp_path / "in.mkv", "ass", True, {**ones, "note.txt": ("text/plain", b"hello")})
    result = rendered(film, tmp_path / "out.mkv")
    with av.open(str(result.target)) as container:
        found = {one.name: (one.mimetype, one.data) for one in container.streams.attachments}
        assert [one.codec_context.codec.canonical_name for one in container.streams.subtitles] == ["ass"]
        assert sum(1 for _ in container.decode(video=0)) == 60
    assert found == ones


def test_subtitles_that_cannot_be_copied_are_named(tmp_path: Path) -> None:
    """In one line at the end; nothing went wrong, so the exit code stays 0."""
    titled(tmp_path / "in.mkv", "subrip", True)
    fast = ("--backend", "identity", "--process-size", "64")
    done = livefilter(tmp_path, "render", "in.mkv", "out.mp4", *fast)
    assert done.returncode == 0, done.stderr
    assert "Subtitle track left out: 1 (eng, subrip); .mp4 cannot hold it as it is." in done.stderr
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert not container.streams.subtitles
        assert container.streams.audio
