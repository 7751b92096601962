"""The page's button for OBS, clicked in a real browser beside the protocol's stand-in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.fakes import until
from tests.live.test_run_seen import Program
from tests.obs.fake_obs import FakeObs
from tests.web.test_page_in_chromium import until as until_script


def test_one_click_brings_the_picture_into_the_scene(tmp_path: Path, chromium: Any) -> None:
    """The button is there while OBS lacks our picture, puts it into the current scene, and goes."""
    with FakeObs() as obs:
        words = ("-i", "demo", "--process-size", "192", "-o", "page:0", "--obs", obs.address, "--duration", "600")
        program = Program(tmp_path, *words, "--hotkeys", "off", "--json")
        try:
            chromium.get(program.said("live page").split()[-1])
            until_script(chromium, "return !document.getElementById('add-to-obs').hidden")
            chromium.find_element("id", "add-to-obs").click()
            until(lambda: "livefilter" in obs.scenes["Scene"], "our picture in the scene")
            until_script(chromium, "return document.getElementById('add-to-obs').hidden")
            kind, settings = obs.inputs["livefilter"]
            assert kind == "ffmpeg_source"
            assert settings["input"] == f"{chromium.current_url}stream.mjpg"
            assert "OBS" in chromium.find_element("id", "obs-state").text
        finally:
            chromium.get("about:blank")
            program.process.terminate()
            program.end()
