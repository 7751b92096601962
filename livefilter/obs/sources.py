"""Our picture as a source in OBS: find it, or put it into the current scene."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from livefilter.errors import ObsRefused, ObsUnavailable
from livefilter.obs.client import ObsClient
from livefilter.obs.settings import Way

_log = logging.getLogger(__name__)
NAME = "livefilter"
KINDS: Mapping[Way, str] = {"camera": "v4l2_input", "browser": "browser_source", "media": "ffmpeg_source"}
# OBS plays a stream by the pictures' own times and keeps for good the distance that it had at the first one. JPEGs have
# no times: FFmpeg makes up 25 a second, and the picture falls behind by seconds; arrival as a time is rounded to 40 ms,
# another way at each opening. Without any times (nofillin) OBS shows each picture as soon as it is there. The rest
# starts at once and keeps nothing back.
MEDIA_OPTIONS = "probesize=32 analyzeduration=0 fflags=nobuffer+nofillin"
_EXISTS = 601


@dataclass(frozen=True, slots=True)
class Offer:
    """What we send, as OBS could take it.

    camera: device of the virtual camera, "" without one. page: address of the page as OBS reaches it, "" without one.
    width, height: pixels.
    """

    camera: str = ""
    page: str = ""
    width: int = 1280
    height: int = 720

    def settings(self, way: Way) -> dict[str, Any]:
        """What OBS's source of a kind is set to."""
        if way == "camera":
            return {"device_id": self.camera, "auto_reset": True, "buffering": False}
        if way == "browser":
            return {"url": f"{self.page}?clean=1", "width": self.width, "height": self.height}
        return {
            "is_local_file": False,
            "input": f"{self.page}stream.mjpg",
            "input_format": "mpjpeg",
            "buffering_mb": 0,
            "reconnect_delay_sec": 2,
            # Or OBS, in another scene, holds the connection without reading, and comes back with old pictures.
            "close_when_inactive": True,
            "ffmpeg_options": MEDIA_OPTIONS,
        }

    def ways(self, kinds: Sequence[str]) -> list[Way]:
        """How an OBS with these kinds of sources can take it, the best first."""
        have: dict[Way, bool] = {"camera": bool(self.camera), "browser": bool(self.page), "media": bool(self.page)}
        return [way for way, kind in KINDS.items() if have[way] and kind in kinds]


@dataclass(frozen=True, slots=True)
class Found:
    """Our picture in OBS: the name of the source, and how it comes. tuned: its settings are those that we would set."""

    name: str
    way: Way
    tuned: bool = field(default=True)


async def find(obs: ObsClient, offer: Offer, way: Way | None = None) -> Found | None:
    """Find our picture among all of OBS's sources; in the current scene first.

    way: only one that comes so. Raises: ObsError.
    """
    found: list[Found] = []
    for each in (await obs.request("GetInputList"))["inputs"]:
        kind = str(each.get("unversionedInputKind") or each["inputKind"])
        for known, of_kind in KINDS.items():
            if kind != of_kind or way not in (None, known):
                continue
            settings = (await obs.request("GetInputSettings", inputName=each["inputName"]))["inputSettings"]
            if _is_ours(known, settings, offer):
                wanted = offer.settings(known)
                found.append(Found(str(each["inputName"]), known, all(settings.get(k) == wanted[k] for k in wanted)))
    if len(found) < 2:
        return found[0] if found else None
    shown = {str(item["sourceName"]) for item in await _items(obs, await _scene(obs))}
    return next((each for each in found if each.name in shown), found[0])


async def add(obs: ObsClient, offer: Offer) -> str:
    """Put our picture into the current scene, at the size of the canvas, if it is not there. Returns: what was done.

    A source that is ours already is used again, and set anew where it would fall behind or its address has changed.
    Raises: ObsUnavailable: this OBS has no kind of source for it. ObsError.
    """
    scene, found = await _scene(obs), await find(obs, offer) or await _lost(obs, offer)
    if found is not None:
        if not found.tuned:
            settings = offer.settings(found.way)
            await obs.request("SetInputSettings", inputName=found.name, inputSettings=settings, overlay=True)
        if any(item["sourceName"] == found.name for item in await _items(obs, scene)):
            done = "is in" if found.tuned else "was set anew in"
            return f"{found.name} {done} scene {scene}"
        item = await obs.request("CreateSceneItem", sceneName=scene, sourceName=found.name)
        await _fit(obs, scene, item["sceneItemId"])
        return f"{found.name} was added to scene {scene}"
    ways = offer.ways((await obs.request("GetInputKindList", unversioned=True))["inputKinds"])
    if not ways:
        raise ObsUnavailable(
            "This OBS has no source for what livefilter sends. Add the output page: livefilter run -o auto"
        )
    name = NAME
    for number in range(2, 10):
        try:
            item = await obs.request(
                "CreateInput", sceneName=scene, inputName=name, inputKind=KINDS[ways[0]],
                inputSettings=offer.settings(ways[0]),
            )  # fmt: skip
            break
        except ObsRefused as error:
            if error.code != _EXISTS:
                raise
            name = f"{NAME} {number}"  # somebody calls another source so
    else:
        raise ObsUnavailable(f"OBS has too many sources that are called {NAME}. Rename or remove some.")
    await _fit(obs, scene, item["sceneItemId"])
    return f"{name} was added to scene {scene}"


def _is_ours(way: Way, settings: Mapping[str, Any], offer: Offer) -> bool:
    if way == "camera":
        return bool(offer.camera) and settings.get("device_id") == offer.camera
    address = str(settings.get("url" if way == "browser" else "input", ""))
    if not offer.page or not address:
        return False
    given, ours = urlsplit(address), urlsplit(offer.page)
    path = "/" if way == "browser" else "/stream.mjpg"
    names = {given.hostname, ours.hostname}
    same = len(names) == 1 or names <= {"127.0.0.1", "localhost", "::1"}
    return same and given.port == ours.port and given.path in (path, path.rstrip("/"))


async def _lost(obs: ObsClient, offer: Offer) -> Found | None:
    """A source that bears our name and was ours at another address, as when the page had another port."""
    kinds = {str(each["inputName"]): str(each["inputKind"]) for each in (await obs.request("GetInputList"))["inputs"]}
    for way in offer.ways(list(KINDS.values())):
        if kinds.get(NAME) == KINDS[way] and way != "camera":
            settings = (await obs.request("GetInputSettings", inputName=NAME))["inputSettings"]
            address = str(settings.get("url" if way == "browser" else "input", ""))
            if address.endswith("?clean=1" if way == "browser" else "/stream.mjpg"):
                return Found(NAME, way, tuned=False)
    return None


async def _scene(obs: ObsClient) -> str:
    return str((await obs.request("GetCurrentProgramScene"))["currentProgramSceneName"])


async def _items(obs: ObsClient, scene: str) -> list[dict[str, Any]]:
    return list((await obs.request("GetSceneItemList", sceneName=scene))["sceneItems"])


async def _fit(obs: ObsClient, scene: str, item: int) -> None:
    """As large as fits into the canvas, in its middle."""
    canvas = await obs.request("GetVideoSettings")
    transform = {
        "positionX": 0, "positionY": 0, "alignment": 5, "boundsType": "OBS_BOUNDS_SCALE_INNER", "boundsAlignment": 0,
        "boundsWidth": canvas["baseWidth"], "boundsHeight": canvas["baseHeight"],
    }  # fmt: skip
    await obs.request("SetSceneItemTransform", sceneName=scene, sceneItemId=item, sceneItemTransform=transform)
