"""Our picture as a source in OBS, against the protocol's stand-in."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from livefilter.errors import ObsUnavailable
from livefilter.obs.client import ObsClient
from livefilter.obs.settings import Way
from livefilter.obs.sources import KINDS, Found, Offer, add, find
from tests.obs.fake_obs import FakeObs

OFFER = Offer("/dev/video10", "http://127.0.0.1:8420/", 1280, 720)
PAGE = Offer("", "http://127.0.0.1:8420/", 1280, 720)


def added(obs: FakeObs, offer: Offer) -> str:
    """What adding says."""

    async def work() -> str:
        client = await ObsClient.connect(obs.address)
        try:
            return await add(client, offer)
        finally:
            await client.close()

    return asyncio.run(work())


def found(obs: FakeObs, offer: Offer) -> Found | None:
    """What is found."""

    async def work() -> Found | None:
        client = await ObsClient.connect(obs.address)
        try:
            return await find(client, offer)
        finally:
            await client.close()

    return asyncio.run(work())


@pytest.mark.parametrize(
    ("offer", "kinds", "way"),
    [
        (OFFER, ["v4l2_input", "browser_source", "ffmpeg_source"], "camera"),
        (PAGE, ["v4l2_input", "browser_source", "ffmpeg_source"], "browser"),
        (PAGE, ["v4l2_input", "ffmpeg_source"], "media"),
        (OFFER, ["dshow_input", "browser_source"], "browser"),
    ],
)
def test_it_is_added_once_in_the_best_way_at_the_size_of_the_canvas(offer: Offer, kinds: list[str], way: Way) -> None:
    """A second time it is found, also in another scene, where it is shown as well."""
    with FakeObs() as obs:
        obs.kinds = kinds
        assert found(obs, offer) is None
        assert added(obs, offer) == "livefilter was added to scene Scene"
        assert obs.inputs["livefilter"][0] == KINDS[way]
        assert found(obs, offer) == Found("livefilter", way)
        fitted = obs.requests("SetSceneItemTransform")[0]["sceneItemTransform"]
        assert (fitted["boundsType"], fitted["boundsWidth"], fitted["boundsHeight"]) == (
            "OBS_BOUNDS_SCALE_INNER",
            1920,
            1080,
        )
        assert added(obs, offer) == "livefilter is in scene Scene"
        obs.current = "Gaming"
        assert added(obs, offer) == "livefilter was added to scene Gaming"
        assert (len(obs.requests("CreateInput")), obs.scenes["Gaming"]) == (1, ["livefilter"])


@pytest.mark.parametrize(
    ("kind", "settings", "way", "tuned"),
    [
        ("browser_source", {"url": "http://localhost:8420/?clean=1"}, "browser", False),
        ("browser_source", {"url": "http://127.0.0.1:8420"}, "browser", False),
        ("ffmpeg_source", {"input": "http://127.0.0.1:8420/stream.mjpg", "input_format": "mjpeg"}, "media", False),
        ("v4l2_input", {"device_id": "/dev/video10"}, "camera", False),
        ("browser_source", {"url": "http://127.0.0.1:8421/?clean=1"}, None, False),
        ("browser_source", {"url": "https://example.org:8420/"}, None, False),
        ("ffmpeg_source", {"local_file": "a.mp4", "is_local_file": True}, None, False),
        ("v4l2_input", {"device_id": "/dev/video0"}, None, False),
    ],
)
def test_a_source_that_the_user_made_is_known_by_what_it_shows(
    kind: str, settings: dict[str, Any], way: Way | None, tuned: bool
) -> None:
    """Whatever it is called; other sources are not ours."""
    with FakeObs() as obs:
        obs.inputs["My face"] = (kind, settings)
        assert found(obs, OFFER) == (Found("My face", way, tuned) if way else None)


def test_a_media_source_that_would_fall_behind_is_set_anew() -> None:
    """Also ours of yesterday, when the page had another port."""
    with FakeObs() as obs:
        obs.inputs["livefilter"] = ("ffmpeg_source", {"input": "http://127.0.0.1:8425/stream.mjpg", "hw_decode": True})
        obs.scenes["Scene"].append("livefilter")
        assert added(obs, PAGE) == "livefilter was set anew in scene Scene"
        settings = obs.inputs["livefilter"][1]
        assert settings["input"] == "http://127.0.0.1:8420/stream.mjpg"
        assert "nofillin" in settings["ffmpeg_options"]
        assert settings["hw_decode"] is True


def test_an_obs_without_a_fitting_source_is_told_so() -> None:
    """As when there is a virtual camera only, and no source for cameras."""
    with FakeObs() as obs, pytest.raises(ObsUnavailable, match="livefilter run -o auto"):
        added(obs, Offer("", "", 64, 48))
