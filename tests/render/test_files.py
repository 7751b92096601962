"""From files and folders to their styled counterparts."""

from __future__ import annotations

import _thread
import threading
from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from livefilter.errors import EngineFailed, InvalidInput, LivefilterError, SinkUnavailable
from livefilter.frame import Frame, Image
from livefilter.live.open_files import file_openers
from livefilter.output.base import Sink, SinkOptions
from livefilter.render import Interrupted, Rendered, render_path
from tests.conftest import make_video, picture
from tests.output.video.sync import beeps, flashes, make_sync_video, picture_times


def invert(image: Image) -> Image:
    """A style that is easy to see."""
    return 255 - image


def same(image: Image) -> Image:
    """No style at all."""
    return image


def rendered(source: Path, target: Path, style: object = same, overwrite: bool = False) -> Rendered:
    """Render without showing progress."""
    return render_path(source, target, style, file_openers(), overwrite=overwrite, report=lambda done, total: None)  # type: ignore[arg-type]


def names(folder: Path) -> list[str]:
    """What lies in a folder."""
    return sorted(entry.name for entry in folder.iterdir())


def test_a_video_keeps_every_frame_its_timing_and_its_sound(tmp_path: Path) -> None:
    """Also where the rate varies; and it really is styled."""
    source = make_sync_video(tmp_path / "in.mp4", gap_s=0.7)
    shown: list[tuple[int, int]] = []
    result = render_path(
        source, tmp_path / "out.mp4", same, file_openers(), report=lambda done, total: shown.append((done, total))
    )
    times = picture_times(source)
    assert result == Rendered(tmp_path / "out.mp4", len(times))
    assert picture_times(result.target) == pytest.approx(times, abs=0.001)
    assert flashes(result.target) == pytest.approx([0.5, 1.5, 2.5], abs=0.003)
    assert beeps(result.target) == pytest.approx(flashes(result.target), abs=0.012)
    assert shown == [(done, len(times)) for done in range(1, len(times) + 1)]
    assert names(tmp_path) == ["in.mp4", "out.mp4"]


def test_a_video_is_styled(tmp_path: Path) -> None:
    """What comes out is the style's picture, in the size that went in."""
    source = make_video(tmp_path / "in.mp4", 63 + 1, 48)
    rendered(source, tmp_path / "out.mkv", invert)
    with av.open(str(tmp_path / "out.mkv")) as container:
        first = next(container.decode(video=0)).to_ndarray(format="bgr24")
    assert first.shape == (48, 64, 3)
    assert np.abs(first[16:].astype(int) - (255 - picture()[16:])).mean() < 12


def test_a_video_with_odd_sides_comes_out_whole(tmp_path: Path) -> None:
    """One column and row are added, as H.264 needs even sides; nothing is cut off."""
    source = tmp_path / "in.mkv"
    with av.open(str(source), "w") as container:
        video = container.add_stream("ffv1", rate=25)
        video.width, video.height, video.pix_fmt = 63, 47, "bgr0"
        for number in range(5):
            given = av.VideoFrame.from_ndarray(picture(63, 47, number), format="bgr24")
            container.mux(video.encode(given.reformat(format="bgr0")))
        container.mux(video.encode())
    rendered(source, tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as made:
        frames = list(made.decode(video=0))
    assert len(frames) == 5
    assert (frames[0].width, frames[0].height) == (64, 48)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".bmp", ".tif"])
def test_an_image_is_styled(tmp_path: Path, suffix: str) -> None:
    """Into any kind of image file."""
    cv2.imwrite(str(tmp_path / "in.png"), picture())
    assert rendered(tmp_path / "in.png", tmp_path / f"out{suffix}", invert).frames == 1
    back = cv2.imread(str(tmp_path / f"out{suffix}"))
    assert back is not None
    assert np.abs(back.astype(int) - (255 - picture())).mean() < 6
    assert names(tmp_path) == sorted(["in.png", f"out{suffix}"])


def test_a_folder_of_images_becomes_a_folder_of_the_same_names(tmp_path: Path) -> None:
    """Images of any size; other files are counted, sub-folders left alone."""
    source = tmp_path / "in"
    (source / "more").mkdir(parents=True)
    cv2.imwrite(str(source / "more/deep.png"), picture())
    for number, size in enumerate([(64, 48), (31, 57), (1, 1)]):
        cv2.imwrite(str(source / f"{number}.png"), picture(*size))
    cv2.imwrite(str(source / "photo.JPG"), picture())
    (source / "notes.txt").write_text("no picture")
    result = rendered(source, tmp_path / "out", invert)
    assert result == Rendered(tmp_path / "out", 4, skipped=1, folders=1, what="image")
    assert names(tmp_path / "out") == ["0.png", "1.png", "2.png", "photo.JPG"]
    back = cv2.imread(str(tmp_path / "out/1.png"))
    assert back is not None
    assert np.array_equal(back, 255 - picture(31, 57))


def test_a_folder_as_the_output_of_one_file_takes_its_name(tmp_path: Path) -> None:
    """As with cp."""
    (tmp_path / "out").mkdir()
    cv2.imwrite(str(tmp_path / "in.png"), picture())
    assert rendered(tmp_path / "in.png", tmp_path / "out").target == tmp_path / "out/in.png"


@pytest.mark.parametrize("kind", ["video", "image", "folder"])
def test_nothing_is_overwritten_unless_asked(tmp_path: Path, kind: str) -> None:
    """The error names the file and --overwrite, and leaves it as it is; with --overwrite it is replaced."""
    source, target, taken = tmp_path / "in.png", tmp_path / "out.png", tmp_path / "out.png"
    cv2.imwrite(str(source), picture())
    if kind == "video":
        source, target = make_video(tmp_path / "in.mp4", seconds=0.2), tmp_path / "out.mp4"
        taken = target
    elif kind == "folder":
        source, target, taken = tmp_path, tmp_path / "out", tmp_path / "out/in.png"
        target.mkdir()
    taken.write_bytes(b"precious")
    with pytest.raises(SinkUnavailable, match=r"exists? already.*--overwrite"):
        rendered(source, target)
    assert taken.read_bytes() == b"precious"
    rendered(source, target, overwrite=True)
    assert taken.read_bytes() != b"precious"


@pytest.mark.parametrize("how", ["interrupt", "error"])
def test_a_render_that_ends_early_leaves_a_playable_part_under_a_name_of_its_own(
    tmp_path: Path, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The part has a name beside the output's and is said; the output itself does not appear, and can be made anew."""
    source = make_video(tmp_path / "in.mp4", seconds=3, audio=True)
    count = 0

    def style(image: Image) -> Image:
        nonlocal count
        count += 1
        if count == 40 and how == "interrupt":
            _thread.interrupt_main()
        if count == 40 and how == "error":
            raise EngineFailed("the engine fell over")
        return image

    if how == "interrupt":
        with pytest.raises(Interrupted) as interrupted:
            rendered(source, tmp_path / "out.mp4", style)
        (part,) = tmp_path.glob("out.partial-*.mp4")
        assert interrupted.value.partial == part
        assert interrupted.value.frames > 0
    else:
        with pytest.raises(EngineFailed):
            rendered(source, tmp_path / "out.mp4", style)
        (part,) = tmp_path.glob("out.partial-*.mp4")
        assert part.name in caplog.text
    assert names(tmp_path) == ["in.mp4", part.name]
    assert len(picture_times(part)) >= 30
    rendered(source, tmp_path / "out.mp4")
    assert names(tmp_path) == ["in.mp4", "out.mp4", part.name]


def test_an_error_at_the_first_frame_leaves_nothing(tmp_path: Path) -> None:
    """A style that does not load does not litter."""
    source = make_video(tmp_path / "in.mp4", seconds=0.2)

    def style(image: Image) -> Image:
        raise EngineFailed("no such style")

    with pytest.raises(EngineFailed):
        rendered(source, tmp_path / "out.mp4", style)
    assert names(tmp_path) == ["in.mp4"]


@pytest.mark.parametrize("target", ["out.mp4", "out"])
def test_an_interrupt_before_the_first_frame_is_done_leaves_nothing(tmp_path: Path, target: str) -> None:
    """Neither an empty file nor a folder with nothing in it; and no part is told of."""
    (tmp_path / "in").mkdir()
    source = make_video(tmp_path / "in" / "in.mp4", seconds=3)

    def style(image: Image) -> Image:
        _thread.interrupt_main()
        threading.Event().wait(0.5)
        raise EngineFailed("too late")

    with pytest.raises(Interrupted) as interrupted:
        rendered(source if target.endswith(".mp4") else source.parent, tmp_path / target, style)
    assert (interrupted.value.partial, interrupted.value.frames) == (None, 0)
    assert names(tmp_path) == ["in"]


def test_a_folder_of_which_only_the_beginning_of_a_video_is_done_is_told_of(tmp_path: Path) -> None:
    """What lies in it is not called nothing."""
    (tmp_path / "in").mkdir()
    make_video(tmp_path / "in" / "in.mp4", seconds=3)
    count = 0

    def style(image: Image) -> Image:
        nonlocal count
        count += 1
        if count == 40:
            _thread.interrupt_main()
        return image

    with pytest.raises(Interrupted) as interrupted:
        rendered(tmp_path / "in", tmp_path / "out", style)
    assert interrupted.value.partial == tmp_path / "out"
    assert len(names(tmp_path / "out")) == 1


def test_a_second_interrupt_while_the_part_is_finished_leaves_nothing_that_does_not_play(tmp_path: Path) -> None:
    """A file without its end is not said to be what was done."""
    source = make_video(tmp_path / "in.mp4", seconds=3)
    openers, closing, go_on = file_openers(), threading.Event(), threading.Event()

    class Slow(Sink):
        """A recording whose end takes its time."""

        def __init__(self, path: Path, options: SinkOptions) -> None:
            self._sink = openers.recording(path, options)

        def send(self, frame: Frame) -> None:
            self._sink.send(frame)
            if frame.number == 10:
                _thread.interrupt_main()

        def close(self) -> None:
            closing.set()
            go_on.wait(20)

    def press_again() -> None:
        closing.wait(20)
        _thread.interrupt_main()

    threading.Thread(target=press_again, daemon=True).start()
    slow = replace(openers, recording=Slow)
    with pytest.raises(Interrupted) as interrupted:
        render_path(source, tmp_path / "out.mp4", same, slow, report=lambda done, total: None)
    assert interrupted.value.partial is None
    assert names(tmp_path) == ["in.mp4"]
    go_on.set()


def test_a_truncated_video_is_rendered_as_far_as_it_goes(tmp_path: Path) -> None:
    """Half a download still gives half a video."""
    whole = make_video(tmp_path / "whole.mkv", 160, 120, seconds=3)
    torn = tmp_path / "torn.mkv"
    torn.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    result = rendered(torn, tmp_path / "out.mp4")
    assert 10 < result.frames < 80
    assert len(picture_times(result.target)) == result.frames


@pytest.mark.parametrize(
    ("source", "target", "words"),
    [
        ("missing.mp4", "out.mp4", "There is no file or folder"),
        ("in.mp4", "out.png", "in.mp4 is a video, so the output must end in"),
        ("in.png", "out.mp4", "in.png is an image, so the output must end in"),
        ("in.mp4", "out.mp5", r"Name it out\.mp4"),
        ("in.mp4", "in.mp4", "cannot be both"),
        ("in.mp4", "nowhere/out.mp4", "no folder .*nowhere"),
        ("empty", "out", "holds no image or video"),
        ("empty", "out.mp4", "OUT must be a folder too"),
        ("empty", "empty", "cannot be both"),
        ("empty", "in.png", "must be one too"),
        ("torn.png", "out.png", "torn.png as an image"),
        ("notes.txt", "out.mp4", "not a video"),
    ],
)
def test_what_cannot_be_rendered_is_one_clear_line(tmp_path: Path, source: str, target: str, words: str) -> None:
    """It names the file and the fix, and leaves nothing behind."""
    make_video(tmp_path / "in.mp4", seconds=0.2)
    cv2.imwrite(str(tmp_path / "in.png"), picture())
    (tmp_path / "empty").mkdir()
    (tmp_path / "torn.png").write_bytes(b"\x89PNG\r\n")
    (tmp_path / "notes.txt").write_text("hello")
    before = names(tmp_path)
    with pytest.raises(LivefilterError, match=words) as caught:
        rendered(tmp_path / source, tmp_path / target)
    assert isinstance(caught.value, InvalidInput | SinkUnavailable)
    assert "\n" not in str(caught.value)
    assert names(tmp_path) == before


@pytest.mark.clips
def test_a_real_clip_keeps_its_frames_and_its_length(clips: Path, tmp_path: Path) -> None:
    """Portrait, with sound that starts after the picture."""
    source = clips / "street-540x960.mp4"
    result = rendered(source, tmp_path / "out.mp4", lambda image: image)
    with av.open(str(source)) as before, av.open(str(result.target)) as after:
        assert result.frames == before.streams.video[0].frames == after.streams.video[0].frames
        video, sound = after.streams.video[0], after.streams.audio[0]
        assert (video.width, video.height) == (540, 960)
        assert after.duration == pytest.approx(before.duration, abs=50_000)
        first, original = next(after.decode(sound)).time, next(before.decode(audio=0)).time
        assert first == pytest.approx(original, abs=0.001)


def test_a_damaged_picture_does_not_stop_the_folder(tmp_path: Path) -> None:
    """The rest is done, the bad one is named, and what macOS adds is passed over."""
    source = tmp_path / "in"
    source.mkdir()
    for number in range(4):
        cv2.imwrite(str(source / f"{number}.png"), picture())
    (source / "1b.png").write_bytes((source / "1.png").read_bytes()[:200])
    (source / "._1.png").write_bytes(b"Mac OS X")
    result = rendered(source, tmp_path / "out")
    assert names(tmp_path / "out") == ["0.png", "1.png", "2.png", "3.png"]
    assert (result.frames, result.skipped) == (4, 1)
    assert len(result.bad) == 1
    assert "1b.png" in result.bad[0]


def test_an_animation_becomes_a_video_or_an_animation_but_no_still(tmp_path: Path) -> None:
    """Nothing of it is lost without a word."""
    stills = [Pillow.new("RGB", (64, 48), (60 * number, 90, 40)) for number in range(4)]
    stills[0].save(tmp_path / "a.webp", save_all=True, append_images=stills[1:], duration=200)
    assert rendered(tmp_path / "a.webp", tmp_path / "a.mp4").frames == 4
    assert picture_times(tmp_path / "a.mp4") == pytest.approx([0, 0.2, 0.4, 0.6], abs=0.001)
    rendered(tmp_path / "a.webp", tmp_path / "a.gif", invert)
    with Pillow.open(tmp_path / "a.gif") as made:
        assert getattr(made, "n_frames", 1) == 4
        assert made.info["duration"] == 200
    with pytest.raises(InvalidInput, match="animation of 4 pictures"):
        rendered(tmp_path / "a.webp", tmp_path / "a.jpg")


def test_pages_stay_pages(tmp_path: Path) -> None:
    """A TIFF of three pages becomes a TIFF of three pages and nothing else."""
    pages = [Pillow.new("RGB", (64, 48), (60 * number, 90, 40)) for number in range(3)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    assert rendered(tmp_path / "a.tif", tmp_path / "b.tif", invert).frames == 3
    with Pillow.open(tmp_path / "b.tif") as made:
        assert getattr(made, "n_frames", 1) == 3
    with pytest.raises(InvalidInput, match="holds 3 pages"):
        rendered(tmp_path / "a.tif", tmp_path / "b.png")


@pytest.mark.parametrize(
    ("source", "target", "how", "kept"),
    [
        ("a.png", "b.png", "auto", True),
        ("a.png", "b.webp", "auto", True),
        ("a.png", "b.jpg", "auto", False),
        ("a.tif", "b.tif", "auto", True),
        ("a.tif", "b.png", "auto", False),
        ("a.tif", "b.png", "keep", True),
        ("a.png", "b.png", "white", False),
    ],
)
def test_transparency_stays_or_becomes_white(tmp_path: Path, source: str, target: str, how: str, kept: bool) -> None:
    """Colours under it stay the picture's own, and outputs are tagged as sRGB."""
    made = Pillow.new("RGBA", (64, 48), (200, 30, 30, 255))
    made.paste((0, 0, 0, 0), (0, 0, 32, 48))
    made.save(tmp_path / source)
    render_path(
        tmp_path / source,
        tmp_path / target,
        same,
        file_openers(),
        transparency=how,  # type: ignore[arg-type]
        report=lambda done, total: None,
    )
    with Pillow.open(tmp_path / target) as out:
        assert out.info["icc_profile"]
        assert out.info["icc_profile"][24:36].hex(" ", 2) == "07ea 0001 0001 0000 0000 0000", (
            "files tell when they were made"
        )
        assert out.has_transparency_data is kept
        assert out.convert("RGBA").getpixel((50, 20)) == pytest.approx((200, 30, 30, 255), abs=3)
        left = out.convert("RGBA").getpixel((4, 20))
    assert left == pytest.approx((200, 30, 30, 0) if kept else (255, 255, 255, 255), abs=3)
