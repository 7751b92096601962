"""Twenty short films of several kinds, cut out of a folder of clips: `python -m tools.scale.clips CLIPS FOLDER`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

# Source, start and length in seconds, what ffmpeg does with it, ending.
_H264 = ("-c:v", "libx264", "-preset", "veryfast", "-c:a", "aac")
KINDS: tuple[tuple[str, float, float, tuple[str, ...], str], ...] = (
    ("face-expressions-480x480.mp4", 0, 3, _H264, "mp4"),
    ("face-expressions-480x480.mp4", 6, 3, (*_H264, "-bf", "3", "-x264-params", "open-gop=1:keyint=24"), "mkv"),
    ("face-expressions-480x480.mp4", 12, 3, (*_H264, "-r", "24"), "mov"),
    ("face-expressions-480x480.mp4", 18, 3, ("-c:v", "libx265", "-preset", "veryfast", "-c:a", "aac"), "mp4"),
    ("face-expressions-480x480.mp4", 24, 3, ("-c:v", "libvpx-vp9", "-cpu-used", "8", "-c:a", "libopus"), "webm"),
    ("man-selfie-720x1280.mp4", 0, 2, _H264, "mp4"),
    ("man-selfie-720x1280.mp4", 3, 2, (*_H264, "-vf", "scale=360:640"), "mkv"),
    ("man-selfie-720x1280.mp4", 5, 2, ("-c:v", "mpeg4", "-q:v", "4", "-c:a", "libmp3lame"), "avi"),
    ("street-540x960.mp4", 0, 3, _H264, "mp4"),
    ("street-540x960.mp4", 3, 3, (*_H264, "-vf", "select='mod(n,5)',setpts=PTS", "-fps_mode", "vfr"), "mkv"),
    ("street-540x960.mp4", 6, 3, ("-c:v", "mpeg2video", "-q:v", "4", "-c:a", "mp2"), "ts"),
    ("woman-indoors-1280x720.mp4", 0, 2, _H264, "mp4"),
    ("woman-indoors-1280x720.mp4", 3, 3, (*_H264, "-vf", "scale=640:360", "-an"), "mov"),
    ("woman-indoors-1280x720.mp4", 6, 3, (*_H264, "-vf", "scale=853:480:flags=bicubic,crop=851:479"), "mkv"),
    ("office-help-640x480.mkv", 0, 3, _H264, "mp4"),
    ("office-hungry-640x480.mkv", 0, 3, ("-c", "copy"), "mkv"),
    ("office-learn-640x480.mkv", 0, 3, (*_H264, "-vf", "format=yuv444p,format=gray,format=yuv420p"), "mkv"),
    ("office-milk-640x480.mkv", 0, 3, (*_H264, "-vf", "hflip", "-r", "15"), "mp4"),
    ("office-night-640x480.mkv", 0, 3, (*_H264, "-vf", "transpose=1"), "mp4"),
    ("office-night-640x480.mkv", 0, 3, ("-c:v", "libx264", "-pix_fmt", "yuv420p10le", "-c:a", "flac"), "mkv"),
)


def make_clips(clips: Path, folder: Path) -> None:
    """Cut and vary twenty films out of the clips. Raises: subprocess.CalledProcessError, OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, (name, start, lasts, how, suffix) in enumerate(KINDS, 1):
        command = ["ffmpeg", "-v", "error", "-y", "-ss", str(start), "-t", str(lasts), "-i", str(clips / name)]
        target = folder / f"{number:02d}-{Path(name).stem.split('-')[0]}.{suffix}"
        subprocess.run([*command, *how, str(target)], check=True)


if __name__ == "__main__":
    make_clips(Path(sys.argv[1]), Path(sys.argv[2]))
