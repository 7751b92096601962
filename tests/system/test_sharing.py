"""What happens when others use the same devices."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from livefilter.frame import Image
from livefilter.output.camera.loopback import prepare
from tests.system.clients import tell, v4l2_ctl
from tests.system.devices import OUTPUT, SECOND, is_capture_device
from tests.system.pictures import CLOSE, FAR, distance, moves
from tests.system.program import Program
from tests.system.styles import inverted
from tests.system.viewer import Viewer
from tests.system.waiting import until


@contextmanager
def fed(device: str, size: str, colour: str) -> Iterator[subprocess.Popen[bytes]]:
    """Another program that writes one colour into a virtual camera."""
    width, height = map(int, size.split("x"))
    prepare(device, width, height, 10.0, "YU12")  # ffmpeg does not know how to open a device that had a writer before
    picture = f"color=c={colour}:s={size}:r=10"
    command = ["ffmpeg", "-hide_banner", "-nostdin", "-loglevel", "error", "-re", "-f", "lavfi", "-i", picture]
    writer = subprocess.Popen([*command, "-pix_fmt", "yuv420p", "-f", "v4l2", device])
    try:
        until(lambda: is_capture_device(device) or writer.poll() is not None, f"ffmpeg feeding {device}")
        yield writer
    finally:
        writer.kill()
        writer.wait(60)


def test_a_virtual_camera_that_another_program_feeds_is_refused(start: Callable[..., Program]) -> None:
    """The error names the device and the other program, and the other one goes on."""
    with fed(OUTPUT, "320x180", "red") as writer:
        program = start("-s", "inverted")
        assert program.ended() != 0
        said = " ".join(program.lines)
        assert OUTPUT in said
        assert "ffmpeg" in said
        assert writer.poll() is None


def test_readers_come_and_go_and_the_others_read_on(
    start: Callable[..., Program], view: Callable[..., Viewer], raw: Image, tmp_path: Path
) -> None:
    """Twenty times another program starts to read and stops again; the one that reads all the time reads on.

    Without `MappedBuffers` it got nothing more after the first of them.
    """
    start("-s", "inverted").serves()
    viewer = view(OUTPUT)
    for _ in range(20):
        viewer.wait_for(2)
        seen = v4l2_ctl(OUTPUT, 3, tmp_path)
        assert distance(seen.frames[-1], inverted(raw)) < CLOSE
    assert distance(viewer.wait_for(5), inverted(raw)) < CLOSE
    # A program that stops between a frame's writing and its reading: on one CPU that can happen.
    tell(f"20 programs started and stopped beside it: {viewer.failed} of its {viewer.count} reads failed")
    assert viewer.failed < 20


def test_a_camera_that_changes_its_size_keeps_the_output(
    start: Callable[..., Program], view: Callable[..., Viewer]
) -> None:
    """The webcam comes back with frames of another size; a client goes on getting the size it had, styled."""
    with fed(SECOND, "320x180", "red"):
        program = start("-s", "inverted", source=SECOND)
        program.serves()
        viewer = view(OUTPUT)
        until(lambda: viewer.count > 0 and _is(viewer.newest, (255, 255, 0)), "the negative of red")
    program.said("Waiting for it to come back")
    with fed(SECOND, "640x360", "blue"):
        program.said("is back")
        until(lambda: _is(viewer.newest, (0, 255, 255)), "the negative of blue")
        assert viewer.newest.shape == (180, 320, 3)


def test_idle_releases_the_camera_and_a_client_wakes_it(
    start: Callable[..., Program], view: Callable[..., Viewer], raw: Image
) -> None:
    """While nobody watches the webcam is free for others; a client gets moving, styled frames again, never raw ones."""
    program = start("-s", "inverted", idle=True)
    program.serves()
    until(lambda: not _busy(), "the webcam is released")
    wanted = inverted(raw)
    for _ in range(2):
        viewer = view(OUTPUT, keep=True)
        until(lambda: viewer.count > 0 and distance(viewer.newest, wanted) < CLOSE, "styled frames")  # noqa: B023
        first = next(number for number, frame in enumerate(viewer.frames) if distance(frame, wanted) < CLOSE)
        tell(f"styled {1000 * (viewer.times[first] - viewer.times[0]):.0f} ms after a client's first frame")
        assert _busy()
        viewer.wait_for(10)
        assert moves(viewer.frames[first:])
        viewer.close()
        assert min(distance(frame, raw) for frame in viewer.frames) > FAR, "a raw frame got out"
        until(lambda: not _busy(), "the webcam is released again")


def _busy() -> bool:
    """Whether a program streams from the webcam, as the kernel tells by refusing another size."""
    command = ["v4l2-ctl", "-d", "/dev/video0", "--set-fmt-video", "width=320,height=180,pixelformat=YUYV"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return "busy" in (done.stdout + done.stderr).lower()


def _is(image: Image, colour: tuple[int, int, int]) -> bool:
    """Whether a picture has one colour (BGR) in its middle."""
    height, width = image.shape[:2]
    middle = image[height // 3 : height * 2 // 3, width // 3 : width * 2 // 3]
    return bool(np.abs(middle.mean((0, 1)) - colour).max() < 3 * CLOSE)
