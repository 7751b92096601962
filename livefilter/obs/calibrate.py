"""Measures, in OBS's own recording, what the way into OBS adds to the delay of the picture."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from livefilter.errors import InvalidInput, ObsUnavailable
from livefilter.obs.client import ObsClient
from livefilter.obs.lip_sync import read_lateness
from livefilter.obs.settings import ObsSettings

LEAST_FLASHES = 4
# A recording is finished a moment after OBS says where it is.
_FINISH_S = 1.5
_MOST_SPREAD_S = 0.3


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was found.

    way: how OBS gets the picture. path_ms: what that adds. before_ms: how late the picture was (negative: early), the
    median over `flashes` flashes. spread_ms: between the earliest and the latest of them.
    """

    way: str
    path_ms: float
    before_ms: float
    spread_ms: float
    flashes: int


async def calibrate(settings: ObsSettings, state: Callable[[], dict[str, Any]], seconds: float) -> Calibration:
    """Have OBS record flashes and beeps, and see how far apart they are.

    state: tells of the run's connection to OBS, as GET /api/state does in "obs". seconds: of the recording, which is
        removed afterwards.
    Raises: ObsError, InvalidInput: says what is missing.
    """
    _require_in_time(state())
    obs = await ObsClient.connect(settings.address, settings.password.get_secret_value())
    try:
        if (await obs.request("GetRecordStatus"))["outputActive"]:
            raise ObsUnavailable("OBS records already. Stop that, and calibrate then.")
        seen: list[dict[str, Any]] = []
        await obs.request("StartRecord")
        try:
            for _ in range(max(1, round(seconds))):
                await asyncio.sleep(1.0)
                seen.append(state())
        finally:
            path = Path(str((await obs.request("StopRecord"))["outputPath"]))
    finally:
        await obs.close()
    await asyncio.sleep(_FINISH_S)
    if not path.is_file():
        raise ObsUnavailable(f"OBS's recording {path.name} is not on this computer. Calibrate where OBS runs.")
    try:
        late = await asyncio.get_running_loop().run_in_executor(None, read_lateness, path)
    finally:
        path.unlink(missing_ok=True)
    return evaluate(late, seen)


def evaluate(late: list[float], seen: list[dict[str, Any]]) -> Calibration:
    """What the way adds, from how late the picture was in seconds and from what the run knew meanwhile.

    Raises: InvalidInput: too few flashes, or too far apart to mean anything.
    """
    if len(late) < LEAST_FLASHES:
        raise InvalidInput(
            f"Only {len(late)} of at least {LEAST_FLASHES} flashes have a beep beside them. Play the film of "
            "`livefilter obs film` before the camera and the microphone."
        )
    spread_s = max(late) - min(late)
    middle = sorted(late)[len(late) // 10 : len(late) - len(late) // 10]
    if max(middle) - min(middle) > _MOST_SPREAD_S:
        raise InvalidInput(
            f"The flashes are {spread_s * 1000:.0f} ms apart from each other: nothing follows from that."
        )
    usable = [each for each in seen if each.get("delay_ms") is not None and each.get("offset_ms") is not None]
    if not usable:
        raise InvalidInput("The run kept no sound in time meanwhile. Look at its line on OBS.")
    own = statistics.mean(each["offset_ms"] - each["users_ms"] for each in usable)
    picture = statistics.mean(each["delay_ms"] - each["path_ms"] for each in usable)
    median = statistics.median(late) * 1000
    return Calibration(str(usable[-1]["way"]), median + own - picture, median, spread_s * 1000, len(late))


def _require_in_time(obs: dict[str, Any] | None) -> None:
    if not obs or not obs.get("connected"):
        raise ObsUnavailable("No run of livefilter is connected to OBS. Start livefilter run --obs first.")
    if not obs.get("way"):
        raise ObsUnavailable(
            "livefilter's picture is in no scene of OBS. Press o in livefilter, or Add to OBS on its page."
        )
    if not obs.get("microphone"):
        raise ObsUnavailable(f"There is no microphone to compare with: {obs.get('why_not', '')}.")
