"""HDR made of ordinary pictures by zimg comes back as these pictures, where they are not bright."""

from __future__ import annotations

import functools
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.corpus.test_videos import ffmpeg, read_all

pytestmark = pytest.mark.corpus

CASES = {
    "PQ-libx265": ("smpte2084", "libx265", "yuv420p10le"),
    "PQ-libaom-av1": ("smpte2084", "libaom-av1", "yuv420p10le"),
    "PQ-prores_ks": ("smpte2084", "prores_ks", "yuv422p10le"),
    "PQ-ffv1": ("smpte2084", "ffv1", "yuv444p12le"),
    "HLG-libx265": ("arib-std-b67", "libx265", "yuv420p10le"),
    "HLG-libvpx-vp9": ("arib-std-b67", "libvpx-vp9", "yuv420p10le"),
    "HLG-ffv1": ("arib-std-b67", "ffv1", "yuv422p10le"),
}
# Levels on average, and contrast. zimg turns the scene of HLG into light for each part by itself, and not by the
# brightness of all as ITU-R BT.2100 has it, which tests/capture/test_hdr.py holds to a level.
APART = {"smpte2084": (5, 0.1), "arib-std-b67": (9, 0.25)}
DARK = 140  # below the level from which highlights are bent together
WIDTH, HEIGHT = 128, 96


@functools.cache
def missing() -> str:
    """Why there is no zimg here; empty where there is."""
    if shutil.which("ffmpeg") is None:
        return "needs the program ffmpeg"
    filters = subprocess.run(["ffmpeg", "-filters"], capture_output=True, timeout=60, check=False).stdout
    return "" if b" zscale " in filters else "needs an ffmpeg with zimg"


@pytest.mark.parametrize("name", CASES)
def test_hdr_comes_back_as_the_picture_it_was_made_of(name: str, tmp_path: Path) -> None:
    """At the usual brightness of white, 203 nits, and no picture has gone flat."""
    if missing():
        pytest.skip(missing())
    transfer, codec, pixels = CASES[name]
    levels, contrast = APART[transfer]
    soft = f"testsrc2=size={WIDTH}x{HEIGHT}:rate=25:duration=0.2,gblur=sigma=6,lutrgb=r=val*0.7:g=val*0.7:b=val*0.7"
    tagged = "setparams=color_primaries=bt709:color_trc=bt709:colorspace=gbr:range=pc"
    ffmpeg("-f", "lavfi", "-i", f"{soft},format=gbrp,{tagged}", "-c:v", "ffv1", str(tmp_path / "sdr.mkv"))
    linear = f"format=gbrp,{tagged},zscale=t=linear:npl=203,format=gbrpf32le"
    made = f"zscale=p=bt2020:t={transfer}:m=bt2020nc:r=tv:npl=203,format={pixels}"
    quality = {"libx265": ("-x265-params", "log-level=error:crf=6"), "libaom-av1": ("-cpu-used", "8", "-crf", "8")}
    tags = ("-color_primaries", "bt2020", "-color_trc", transfer, "-colorspace", "bt2020nc")
    path = tmp_path / "hdr.mkv"
    source = ("-i", str(tmp_path / "sdr.mkv"), "-vf", f"{linear},{made}")
    ffmpeg(*source, "-c:v", codec, *quality.get(codec, ()), *tags, str(path))
    raw = ffmpeg("-i", str(tmp_path / "sdr.mkv"), "-f", "rawvideo", "-pix_fmt", "bgr24", "-")
    expected = np.frombuffer(raw, np.uint8).reshape(-1, HEIGHT, WIDTH, 3).astype(int)
    frames = read_all(path)
    assert len(frames) == len(expected)
    for frame, wanted in zip(frames, expected, strict=True):
        dark = wanted.max(axis=2) < DARK
        assert dark.mean() > 0.2
        assert np.abs(frame.image.astype(int) - wanted)[dark].mean() <= levels
        assert frame.image.std() == pytest.approx(wanted.std(), rel=contrast)
