"""Video files: time, size, colour, turning, and damage."""

from __future__ import annotations

import gc
import io
import logging
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as PillowImage

from livefilter.capture.base import SourceOptions
from livefilter.capture.video_file import VideoFileSource
from livefilter.capture.video_reader import VideoReader
from livefilter.errors import EndOfStream, InvalidInput, SourceLost
from livefilter.frame import Frame, Image
from tests.capture.fakes import patch, turn_video, write_video
from tests.conftest import make_video, picture

OPTIONS = SourceOptions()


def read_all(source: VideoFileSource) -> list[Frame]:
    """Every frame up to the end."""
    frames = []
    try:
        while True:
            frames.append(source.read())
    except EndOfStream:
        return frames


def first_image(path: Path) -> Image:
    """The first picture of a file."""
    with VideoFileSource(str(path), OPTIONS) as source:
        return source.read().image


def test_every_frame_comes_once_and_in_order(tmp_path: Path) -> None:
    """All frames are delivered, the last ones too that the decoder holds back."""
    path = make_video(tmp_path / "clip.mp4", seconds=2)
    with VideoFileSource(str(path), OPTIONS) as source:
        frames = read_all(source)
        assert len(frames) == source.info.frames == 60
        assert source.info.fps == 30
        assert [frame.media_s for frame in frames] == pytest.approx([n / 30 for n in range(60)], abs=0.001)
        assert np.abs(frames[30].image.astype(int) - picture(number=30)).mean() < 12
        with pytest.raises(EndOfStream, match=r"clip\.mp4 is at its end"):
            source.read()


def test_sound_is_named_only_where_there_is_some(tmp_path: Path) -> None:
    """`info.media` is the file exactly when sound can be copied from it."""
    silent = make_video(tmp_path / "silent.mp4")
    loud = make_video(tmp_path / "loud.mp4", audio=True)
    assert VideoFileSource(str(silent), OPTIONS).info.media is None
    assert VideoFileSource(str(loud), OPTIONS).info.media == loud


def test_a_loop_goes_on_in_time(tmp_path: Path) -> None:
    """The second pass continues one frame after the first, and an endless file has no number of frames."""
    path = make_video(tmp_path / "clip.mp4", seconds=0.5)
    with VideoFileSource(str(path), SourceOptions(loop=True)) as source:
        frames = [source.read() for _ in range(40)]
        assert source.info.frames == 0
    assert [frame.number for frame in frames] == list(range(40))
    assert [frame.media_s for frame in frames] == pytest.approx([n / 30 for n in range(40)], abs=0.002)
    assert np.array_equal(frames[0].image, frames[15].image)


def test_a_looped_file_that_vanished_is_lost(tmp_path: Path) -> None:
    """The reason is said instead of ending as if all were well."""
    path = make_video(tmp_path / "clip.mp4", seconds=0.2)
    with VideoFileSource(str(path), SourceOptions(loop=True)) as source:
        for _ in range(6):
            source.read()
        path.unlink()
        with pytest.raises(SourceLost, match="There is no file"):
            source.read()


def test_uneven_frame_times_are_kept(tmp_path: Path) -> None:
    """A file of variable rate plays by its time stamps, not by its nominal rate."""
    path = tmp_path / "uneven.mkv"
    times = [0, 40, 50, 300, 310, 1000]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"bf": "0"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for number, time_ms in enumerate(times):
            frame = av.VideoFrame.from_ndarray(picture(number=number), format="bgr24")
            frame.pts, frame.time_base = time_ms, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with VideoFileSource(str(path), OPTIONS) as source:
        assert [frame.media_s for frame in read_all(source)] == pytest.approx([t / 1000 for t in times], abs=0.002)


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ((0, 1, -1, 0), lambda image: np.rot90(image, -1)),
        ((-1, 0, 0, -1), lambda image: np.rot90(image, 2)),
        ((0, -1, 1, 0), lambda image: np.rot90(image, 1)),
        ((-1, 0, 0, 1), lambda image: image[:, ::-1]),
        ((0, 1, 1, 0), lambda image: image.transpose(1, 0, 2)),
    ],
    ids=["90 degrees", "180 degrees", "270 degrees", "mirrored", "turned and mirrored"],
)
def test_phone_videos_stand_upright(matrix, expected, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """The display matrix turns and mirrors the picture, and the announced size turns with it."""
    path = make_video(tmp_path / "clip.mp4", 64, 48)
    turned = turn_video(path, tmp_path / "turned.mp4", matrix)
    wanted = expected(first_image(path))
    with VideoFileSource(str(turned), OPTIONS) as source:
        assert (source.info.height, source.info.width) == wanted.shape[:2]
        assert np.array_equal(source.read().image, wanted)


@pytest.mark.parametrize("colour", [(0, 0, 200), (0, 200, 0), (200, 0, 0), (128, 128, 128), (30, 90, 220)])
@pytest.mark.parametrize(
    ("codec", "pix_fmt"),
    [("libx264", "yuv420p"), ("libx264", "yuv420p10le"), ("ffv1", "yuva444p"), ("ffv1", "gbrp10le"), ("ffv1", "gray")],
)
def test_colours_survive_every_coding(colour: tuple[int, int, int], codec: str, pix_fmt: str, tmp_path: Path) -> None:
    """10-bit, alpha and grey files become BGR of the colour that went in."""
    path = tmp_path / "colour.mkv"
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, pix_fmt
        container.mux(stream.encode(av.VideoFrame.from_ndarray(patch(colour), format="bgr24").reformat(format=pix_fmt)))
        container.mux(stream.encode())
    image = first_image(path)
    blue, green, red = colour
    grey = round(0.114 * blue + 0.587 * green + 0.299 * red)
    wanted = (grey, grey, grey) if pix_fmt == "gray" else colour
    assert image.mean(axis=(0, 1)).tolist() == pytest.approx(wanted, abs=6)


def test_ten_bit_colours_are_those_of_the_standard(tmp_path: Path) -> None:
    """One level at most, on average, from BT.601 in floating point, and no colour much darker."""
    height, width = 64, 96
    across, down = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    wanted = np.stack([40 + 150 * across, 200 - 120 * down, 60 + 120 * across * down], -1)
    blue, green, red = np.moveaxis(wanted, -1, 0)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    coded = (16 + luma * 219 / 255, 128 + (blue - luma) / 1.772 * 224 / 255, 128 + (red - luma) / 1.402 * 224 / 255)
    planes = [plane if number == 0 else plane.reshape(32, 2, 48, 2).mean((1, 3)) for number, plane in enumerate(coded)]
    frame = av.VideoFrame(width, height, "yuv420p10le")
    for plane, values in zip(frame.planes, planes, strict=True):
        lines = np.zeros((plane.height, plane.line_size // 2), "<u2")
        lines[:, : plane.width] = np.round(values * 4)
        plane.update(lines.tobytes())
    path = tmp_path / "ten.mkv"
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("ffv1", rate=10)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p10le"
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    apart = first_image(path).astype(float) - wanted
    assert np.abs(apart).mean() <= 1
    assert np.abs(apart.mean(axis=(0, 1))).max() <= 1.5


def test_transparent_video_lies_on_black(tmp_path: Path) -> None:
    """What is transparent shows black, as players show it."""
    path = tmp_path / "alpha.mkv"
    pixels = np.full((48, 64, 4), (200, 100, 50, 255), np.uint8)
    pixels[:, 32:, 3] = 0
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "bgra"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="bgra")))
        container.mux(stream.encode())
    image = first_image(path)
    assert image[24, 8].tolist() == [200, 100, 50]
    assert image[24, 56].tolist() == [0, 0, 0]


def test_hd_video_follows_its_colour_matrix(tmp_path: Path) -> None:
    """HD that is tagged BT.709, and HD that is not tagged at all, has the colours that players show."""
    for tag in (True, False):
        path = tmp_path / f"hd-{tag}.mkv"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=10, options={"preset": "ultrafast"})
            stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
            if tag:
                stream.codec_context.colorspace = 1
            frame = av.VideoFrame.from_ndarray(patch((20, 200, 40), 1280, 720), format="bgr24")
            container.mux(stream.encode(frame.reformat(format="yuv420p", dst_colorspace="ITU709")))
            container.mux(stream.encode())
        assert first_image(path).mean(axis=(0, 1)).tolist() == pytest.approx((20, 200, 40), abs=4)


def test_pixels_come_out_square(tmp_path: Path) -> None:
    """Video of 4:3 stretched pixels is shown at its display shape."""
    path = tmp_path / "anamorphic.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 60, 48, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(4, 3)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(picture(60, 48), format="bgr24")))
        container.mux(stream.encode())
    assert first_image(path).shape == (48, 80, 3)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(width=st.integers(2, 131), height=st.integers(2, 131))
def test_any_size_comes_out_exact(width: int, height: int, tmp_path: Path) -> None:
    """Tiny, odd and portrait lossless files come out with their own size and pixels."""
    path = write_video(tmp_path / f"{width}x{height}.mkv", (width, height), frames=2)
    with VideoFileSource(str(path), OPTIONS) as source:
        assert (source.info.width, source.info.height) == (width, height)
        image = source.read().image
    assert image.flags.c_contiguous
    assert np.array_equal(image, picture(width, height, 0))


def test_a_name_like_an_address_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Colons and non-ASCII letters in a name mean nothing special."""
    make_video(tmp_path / "plain.mp4").rename(tmp_path / "pipe:12:30 Zoë №1.mp4")
    monkeypatch.chdir(tmp_path)
    assert first_image(Path("pipe:12:30 Zoë №1.mp4")).shape == (48, 64, 3)


def test_damaged_frames_are_skipped_and_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A file with a hole plays on behind it and says how much was lost."""
    path = write_video(tmp_path / "clip.avi", (64, 48), frames=30, codec="png", pix_fmt="rgb24")
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + len(data) // 10] = bytes(len(data) // 10)
    path.write_bytes(data)
    with caplog.at_level(logging.WARNING), VideoFileSource(str(path), OPTIONS) as source:
        frames = read_all(source)
    assert 10 <= len(frames) < 30
    assert "Skipped" in caplog.text


def test_a_truncated_file_plays_up_to_its_end(tmp_path: Path) -> None:
    """What a broken download holds is shown, and then it is at its end."""
    path = write_video(tmp_path / "clip.mkv", (64, 48), frames=60)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    with VideoFileSource(str(path), OPTIONS) as source:
        assert 30 <= len(read_all(source)) < 60


def test_an_unfinished_mp4_is_refused(tmp_path: Path) -> None:
    """Without its index, which comes last, an MP4 cannot be played: the message says so."""
    path = make_video(tmp_path / "clip.mp4", seconds=2)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(InvalidInput, match=r"clip\.mp4: it is not a video, or it is damaged or unfinished"):
        VideoFileSource(str(path), OPTIONS)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is empty"),
        (b"just text, no video\n" * 100, "is a text, not a video"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "vector drawing"),
        (b"%PDF-1.7\n" + bytes(300), "is a document"),
        (bytes(5000), "it is not a video"),
    ],
    ids=["empty", "text", "drawing", "document", "zeros"],
)
def test_what_is_no_video_is_refused(content: bytes, why: str, tmp_path: Path) -> None:
    """Other files are named, with the reason."""
    path = tmp_path / "notes.mp4"
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match=rf"notes\.mp4.*{why}"):
        VideoFileSource(str(path), OPTIONS)


def test_a_file_with_only_sound_is_refused(tmp_path: Path) -> None:
    """The message says what is missing."""
    path = tmp_path / "song.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        tone = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), format="s16", layout="mono")
        tone.sample_rate = 8000
        container.mux(stream.encode(tone))
    with pytest.raises(InvalidInput, match=r"song\.wav has no video in it, only sound"):
        VideoFileSource(str(path), OPTIONS)


@pytest.mark.clips
def test_real_clips_play_to_the_end(clips: Path) -> None:
    """Every real clip delivers as many frames as it promises, in its own size and shape."""
    for path in sorted(clips.glob("*.mp4")):
        with VideoFileSource(str(path), OPTIONS) as source:
            size = path.stem.rpartition("-")[2].split("x")
            assert [source.info.width, source.info.height] == [int(side) for side in size]
            frames = 0
            try:
                while True:
                    frame = source.read()
                    frames += 1
            except EndOfStream:
                assert frames == source.info.frames
            assert frame.media_s == pytest.approx((frames - 1) / source.info.fps, abs=0.1)
            assert frame.image.std() > 10


def test_decoded_pictures_do_not_wait_for_the_garbage_collector(tmp_path: Path) -> None:
    """With the collector off no more than the decoder's own frames stay alive: a run of hours stays small."""
    path = make_video(tmp_path / "in.mp4", seconds=2)
    gc.collect()
    gc.disable()
    try:
        with VideoFileSource(str(path), SourceOptions(loop=True)) as source:
            for _ in range(600):  # ten times through the file
                source.read()
            alive = sum(type(thing) is av.VideoFrame for thing in gc.get_objects())
    finally:
        gc.enable()
    assert alive < 8


def _mjpeg_with_exif(orientation: int) -> bytes:
    pictures = b""
    for number in range(5):
        exif = PillowImage.Exif()
        exif[0x010F], exif[0x0112] = "Camera", orientation
        file = io.BytesIO()
        PillowImage.new("RGB", (96, 64), (40 * number, 80, 90)).save(file, "JPEG", exif=exif)
        pictures += file.getvalue()
    return pictures


@pytest.mark.parametrize(("orientation", "size"), [(1, (96, 64)), (6, (64, 96)), (8, (64, 96)), (3, (96, 64))])
def test_exif_in_motion_jpeg_is_read(orientation: int, size: tuple[int, int], tmp_path: Path) -> None:
    """PyAV has no name for that kind of data beside a frame; the turn in it counts."""
    path = tmp_path / "camera.mjpeg"
    path.write_bytes(_mjpeg_with_exif(orientation))
    with VideoFileSource(str(path), SourceOptions()) as source:
        assert (source.info.width, source.info.height) == size
        assert source.read().image.shape == (size[1], size[0], 3)


def test_an_unknown_codec_is_named_as_that(tmp_path: Path) -> None:
    """Not as damage, and not with a traceback."""
    path = make_video(tmp_path / "clip.mp4", seconds=0.2)
    path.write_bytes(path.read_bytes().replace(b"avc1", b"zzz1"))
    with pytest.raises(InvalidInput, match="a format that is not known here"):
        VideoFileSource(str(path), SourceOptions())


def test_theora_is_not_called_damaged(tmp_path: Path) -> None:
    """Its empty packets only say that the last picture stays."""
    path = make_video(tmp_path / "clip.mp4", seconds=0.2)
    reader = VideoReader(str(path), "clip")
    try:
        packet = av.Packet()
        packet.pts = 1
        assert reader.decode(packet) == []
        assert reader.skipped == 0
    finally:
        reader.close()
