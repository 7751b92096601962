"""The microphone's sound offset in OBS: found, kept in time with the picture, and put back."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from livefilter.errors import ObsRefused
from livefilter.obs.client import ObsClient
from livefilter.obs.delay import total_offset_ms
from livefilter.obs.memory import Memory
from livefilter.obs.protocol import LEAST_OFFSET_MS

_log = logging.getLogger(__name__)
CAPTURES = ("pulse_input_capture", "wasapi_input_capture", "coreaudio_input_capture", "alsa_input_capture",
            "jack_output_capture", "sndio_output_capture", "oss_input_capture", "pipewire-audio-input")  # fmt: skip
# OBS takes the first change after "no offset" for none at all (obs-studio#7912), so another one goes before it. The
# sound comes in pieces of up to 50 ms; one has to be heard in between.
_TOUCH_MS = 150


async def choose(obs: ObsClient, wanted: str) -> tuple[str | None, str]:
    """The name of the microphone in OBS, or None and why there is none.

    wanted: its name, "auto" for the only input that captures sound, or "off". Raises: ObsError.
    """
    if wanted == "off":
        return None, "sound is left as it is"
    special = await obs.request("GetSpecialInputs")
    mics = [str(name) for key, name in special.items() if key.startswith("mic") and name]
    names = []
    for each in (await obs.request("GetInputList"))["inputs"]:
        kind = str(each.get("unversionedInputKind") or each["inputKind"])
        if kind in CAPTURES or each["inputName"] in mics or each["inputName"] == wanted:
            names.append(str(each["inputName"]))
    if wanted != "auto":
        there = wanted in names
        return (wanted, "") if there else (None, f"OBS has no input {wanted!r}; it has {', '.join(names) or 'none'}")
    if len(names) == 1:
        return names[0], ""
    if not names:
        return None, "OBS has no microphone yet; sound is left as it is"
    return None, f'OBS has several microphones ({", ".join(names)}): name one, [obs] microphone = "{names[0]}"'


class Microphone:
    """One input of OBS while a session lasts.

    users_ms: the offset that the user had set, to which ours is added. set_ms: what OBS has now.
    """

    def __init__(
        self, obs: ObsClient, name: str, memory: Memory, address: str, notify: Callable[[str], object]
    ) -> None:
        self.name, self.users_ms, self.set_ms = name, 0, 0
        self._obs, self._memory, self._address, self._notify = obs, memory, address, notify
        self._touched = False
        self._expected: tuple[int, ...] = ()

    async def open(self) -> None:
        """Read the user's own offset, also where a run before this one did not put it back. Raises: ObsError."""
        now = await self._read()
        left = self._memory.offset(self._address, self.name)
        self.users_ms = self.set_ms = now
        if left is not None and now in left[1] and now != left[0]:
            self.users_ms = left[0]
            self._notify(f"{self.name}: OBS still had the sound offset of a run that broke off; yours is {left[0]} ms")

    async def shift(self, own_ms: int) -> None:
        """Set the user's offset and ours. Raises: ObsError."""
        await self._set(total_offset_ms(own_ms, self.users_ms, self._notify))

    def changed(self, data: dict[str, Any]) -> None:
        """An offset was changed in OBS: by us, or by the user, whose own offset it then moves."""
        if data.get("inputName") != self.name:
            return
        told = int(data.get("inputAudioSyncOffset", 0))
        if told in self._expected:
            return
        self.users_ms += told - self.set_ms
        self.set_ms = told
        self._memory.keep_offset(self._address, self.name, self.users_ms, told)
        self._notify(f"{self.name}: your own sound offset is {self.users_ms} ms now")

    async def restore(self) -> None:
        """Put the user's offset back. Raises: ObsError."""
        if self.set_ms != self.users_ms:
            await self._set(self.users_ms)
        self._memory.forget_offset(self._address, self.name)

    async def _read(self) -> int:
        return int((await self._obs.request("GetInputAudioSyncOffset", inputName=self.name))["inputAudioSyncOffset"])

    async def _set(self, wanted: int) -> None:
        before = wanted - 1 if wanted - 1 not in (0, LEAST_OFFSET_MS - 1) else wanted + 1
        self._expected = (before, wanted)
        self._memory.keep_offset(self._address, self.name, self.users_ms, wanted, before, self.set_ms)
        touch = [] if self._touched and self.set_ms != 0 else [_offset(self.name, before), _pause()]
        self.set_ms = wanted  # before it is sure: whoever is ended in the middle has to put it back
        try:
            await self._obs.batch([*touch, _offset(self.name, wanted)])
        except ObsRefused as error:
            self._notify(f"{self.name}: {error}")
            raise
        self._touched = True
        _log.info("%s: sound offset %d ms, of which %d are the user's", self.name, wanted, self.users_ms)


def _offset(name: str, offset_ms: int) -> tuple[str, dict[str, Any]]:
    return "SetInputAudioSyncOffset", {"inputName": name, "inputAudioSyncOffset": offset_ms}


def _pause() -> tuple[str, dict[str, Any]]:
    return "Sleep", {"sleepMillis": _TOUCH_MS}
