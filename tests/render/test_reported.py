"""Situations out of public reports on programs of this kind; docs/formats.md lists them with what livefilter does."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from livefilter.capture.open import resolve_input
from livefilter.errors import InvalidInput
from livefilter.frame import Image
from livefilter.live.open_files import file_openers
from livefilter.render import Rendered, render_path
from tests.conftest import make_video, picture

# Of mkvs and of shells, of FFmpeg's patterns and of its addresses.
NAMES = (
    "na\nme",
    "smile😀",
    "per%03dcent",
    "100%",
    "-dash",
    "quo'te\"",
    "a:b?c*",
    "[one]",
    " space ",
    "üñí中文",
    "#h;a&b",
)


def rendered(source: Path, target: Path) -> Rendered:
    """Rendered without a style."""
    return render_path(source, target, lambda image: image, file_openers(), report=lambda _done, _total: None)


def pictures(path: Path) -> list[Image]:
    """All pictures of a film."""
    with av.open(f"file:{path}") as container:
        return [np.asarray(frame.to_ndarray(format="bgr24"), np.uint8) for frame in container.decode(video=0)]


@pytest.mark.parametrize("name", NAMES)
def test_names_of_all_kinds(name: str, tmp_path: Path) -> None:
    """Films and pictures, alone and in folders: opencv/opencv#14132, hvoss-tech/AutoForge#30."""
    (tmp_path / name).mkdir()
    film = make_video(tmp_path / "film.mp4", seconds=0.2, audio=True).rename(tmp_path / name / f"{name}.mp4")
    assert rendered(film, tmp_path / name / f"{name} out.mkv").frames == 6
    Pillow.fromarray(picture()).save(tmp_path / name / f"{name}.png")
    assert rendered(tmp_path / name, tmp_path / f"{name} out").frames == 3
    assert (tmp_path / f"{name} out" / f"{name}.png").is_file()
    assert (tmp_path / f"{name} out" / f"{name}.mp4").is_file()


def test_the_priming_of_sound_does_not_move_the_pictures(tmp_path: Path) -> None:
    """The first picture is at 0, as players show nothing before it: heygen-com/hyperframes#3487."""
    result = rendered(make_video(tmp_path / "in.mp4", seconds=1.0, audio=True), tmp_path / "out.mp4")
    with av.open(str(result.target)) as container:
        first = next(container.decode(video=0))
        assert first.time == 0
        sound = container.streams.audio[0]
        assert abs(float((sound.start_time or 0) * (sound.time_base or 0))) < 0.03


@pytest.mark.parametrize("mode", ["L", "I;16", "1"])
def test_grey_pictures(mode: str, tmp_path: Path) -> None:
    """One channel of 1, 8 or 16 bits: xinntao/Real-ESRGAN#483."""
    grey = cv2.cvtColor(picture(), cv2.COLOR_BGR2GRAY)
    made = Pillow.fromarray(grey.astype(np.uint16) * 257) if mode == "I;16" else Pillow.fromarray(grey).convert(mode)
    made.save(tmp_path / "in.png")
    rendered(tmp_path / "in.png", tmp_path / "out.png")
    with Pillow.open(tmp_path / "out.png") as out:
        wanted = grey if mode != "1" else np.asarray(made).astype(np.uint8) * 255
        assert np.abs(np.asarray(out.convert("L")).astype(int) - wanted).max() <= 1


def test_transparent_entries_of_a_palette(tmp_path: Path) -> None:
    """They stay transparent, and do not turn black: nihui/realcugan-ncnn-vulkan#15, k4yt3x/video2x#1365."""
    made = Pillow.new("P", (32, 24), 1)
    made.putpalette([0, 0, 0, 200, 60, 30])
    made.paste(0, (0, 0, 16, 24))
    made.save(tmp_path / "in.png", transparency=bytes((0, 255)))
    rendered(tmp_path / "in.png", tmp_path / "out.png")
    with Pillow.open(tmp_path / "out.png") as out:
        alpha = np.asarray(out.convert("RGBA"))[:, :, 3]
    assert (alpha[:, :16] == 0).all()
    assert (alpha[:, 16:] == 255).all()


def film_of_sizes(path: Path, sizes: list[tuple[int, int]]) -> Path:
    """A raw H.264 stream whose parts have sizes of their own."""
    whole = b""
    for number, (width, height) in enumerate(sizes):
        part = path.with_name(f"{number}.h264")
        with av.open(str(part), "w") as container:
            stream: Any = container.add_stream("libx264", rate=25, options={"preset": "ultrafast", "bf": "0"})
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            for _ in range(5):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((height, width, 3), 200, np.uint8))))
            container.mux(stream.encode())
        whole += part.read_bytes()
    path.write_bytes(whole)
    return path


def test_a_size_that_changes_on_the_way(tmp_path: Path) -> None:
    """Later sizes are fitted into the first one: radek-k/FFMediaToolkit#105, OpenShot/libopenshot#382."""
    made = pictures(
        rendered(film_of_sizes(tmp_path / "in.h264", [(64, 48), (48, 96), (128, 96)]), tmp_path / "o.mkv").target
    )
    assert len(made) == 15
    assert {one.shape for one in made} == {(48, 64, 3)}
    tall, large = made[7], made[12]
    assert tall[24, 32].min() > 190
    assert tall[:, :16].max() < 30
    assert large.min() > 190


@pytest.mark.parametrize("layout", ["", "frag_keyframe+empty_moov"])
def test_a_film_that_is_cut_off_anywhere(layout: str, tmp_path: Path) -> None:
    """An error in words, or the pictures that are there and a word of the rest; no crash: PyAV-Org/PyAV#2344, #689."""
    whole = make_video(tmp_path / "whole.mp4", seconds=0.4, audio=True)
    if layout:
        with av.open(str(whole)) as source, av.open(str(tmp_path / "f.mp4"), "w", options={"movflags": layout}) as made:
            outputs = [made.add_stream_from_template(stream) for stream in source.streams]
            for packet in source.demux():
                if packet.dts is not None:
                    packet.stream = outputs[packet.stream.index]
                    made.mux(packet)
        whole = tmp_path / "f.mp4"
    data = whole.read_bytes()
    ends = {"rendered": 0, "refused": 0}
    for number, length in enumerate([*range(1, 1600, 67), *range(1600, len(data), max(1, len(data) // 25))]):
        cut = tmp_path / f"cut{number}.mp4"
        cut.write_bytes(data[:length])
        try:
            assert "cut off" in rendered(cut, tmp_path / f"out{number}.mkv").bad[0]
            ends["rendered"] += 1
        except InvalidInput:
            ends["refused"] += 1
    assert ends["refused"] > 10
    assert ends["rendered"] > (10 if layout else 0)


def test_a_film_with_a_time_code_track(tmp_path: Path) -> None:
    """A track that is neither picture nor sound is passed over: PyAV-Org/PyAV#169."""
    film = make_video(tmp_path / "film.mp4", seconds=0.4, audio=True)
    with av.open(str(film)) as source, av.open(str(tmp_path / "in.mov"), "w") as made:
        outputs = [made.add_stream_from_template(stream) for stream in source.streams]
        outputs[0].metadata["timecode"] = "01:00:00:00"
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = outputs[packet.stream.index]
                made.mux(packet)
    with av.open(str(tmp_path / "in.mov")) as container:
        assert len(container.streams) == 3
    result = rendered(tmp_path / "in.mov", tmp_path / "out.mov")
    assert result.frames == 12
    with av.open(str(result.target)) as container:
        assert container.streams.audio


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_titles_in_another_code(suffix: str, tmp_path: Path) -> None:
    """Latin-1 where UTF-8 belongs; the pictures and the sound are what matters: Zulko/moviepy#2564."""
    film = make_video(tmp_path / "film.mkv", seconds=0.4, audio=True)
    with av.open(str(film)) as source, av.open(str(tmp_path / f"in{suffix}"), "w") as made:
        made.metadata["title"] = "Caf@ M@nchen"
        outputs = [made.add_stream_from_template(stream) for stream in source.streams]
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = outputs[packet.stream.index]
                made.mux(packet)
    path = tmp_path / f"in{suffix}"
    assert b"Caf@ M@nchen" in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(b"Caf@ M@nchen", b"Caf\xe9 M\xfcnchen"))
    result = rendered(path, tmp_path / "out.mkv")
    assert result.frames == 12
    with av.open(str(result.target)) as container:
        assert container.streams.audio


@pytest.mark.skipif(os.name != "posix", reason="links need rights there")
def test_links_that_lead_nowhere_or_to_themselves(tmp_path: Path) -> None:
    """A picture that is missing is named and the rest is done; nobody is asked whether they meant what they wrote."""
    folder = tmp_path / "in"
    folder.mkdir()
    Pillow.fromarray(picture()).save(folder / "a.png")
    (folder / "b.png").symlink_to("nowhere.png")
    (folder / "c.png").symlink_to("c.png")
    result = rendered(folder, tmp_path / "out")
    assert result.frames == 1
    assert [name in line for name, line in zip(("b.png", "c.png"), result.bad, strict=True)] == [True, True]
    for name in ("b.png", "c.png"):
        with pytest.raises(InvalidInput, match="is a link that leads nowhere") as raised:
            resolve_input(str(folder / name))
        assert "Did you mean" not in str(raised.value)
