"""OBS Studio takes the virtual camera and the live page as sources."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from livefilter.frame import Image
from tests.system.clients import tell
from tests.system.devices import OUTPUT
from tests.system.obs import Obs
from tests.system.pictures import CLOSE, FAR, distance
from tests.system.program import Program
from tests.system.styles import inverted
from tests.system.waiting import until

PORT = 8477


@pytest.mark.parametrize("way", ["camera", "media", "browser"])
def test_obs_shows_the_styled_picture(
    way: str, start: Callable[..., Program], raw: Image, xvfb: str, tmp_path: Path
) -> None:
    """A screenshot of the source shows what the style makes of the pattern, and never the raw picture."""
    program = start("-s", "inverted", outputs=(f"camera:{OUTPUT}", f"page:{PORT}"))
    program.serves()
    kind, settings = {
        "camera": ("v4l2_input", {"device_id": OUTPUT, "auto_reset": True}),
        "media": (
            "ffmpeg_source",
            {"is_local_file": False, "input": f"http://127.0.0.1:{PORT}/stream.mjpg", "input_format": "mjpeg"},
        ),
        "browser": ("browser_source", {"url": f"http://127.0.0.1:{PORT}/?clean=1", "width": 320, "height": 180}),
    }[way]
    with Obs(tmp_path, xvfb) as obs:
        if kind not in obs.kinds():
            pytest.skip(f"this OBS {obs.version} has no {kind}: Debian's package comes without it")
        obs.add("livefilter", kind, settings)
        wanted = inverted(raw)
        shots: list[Image] = []

        def styled() -> bool:
            shots.append(obs.screenshot("livefilter"))
            return shots[-1].shape == wanted.shape and distance(shots[-1], wanted) < CLOSE

        try:
            until(styled, f"the styled picture in OBS {obs.version}")
        except AssertionError as error:
            raise AssertionError(f"{error}; last {shots[-1].shape}; {obs.log()}") from error
        tell(f"OBS {obs.version}, {way}: {distance(shots[-1], wanted):.1f} levels from the style offline")
        assert all(distance(shot, raw) > FAR for shot in shots if shot.shape == raw.shape), "OBS showed the raw picture"
