"""MIDI pads and buttons such as note:36 and cc:20@10."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from livefilter.errors import ConfigError

_FORM = re.compile(r"(note|cc):(\d{1,3})(?:@(\d{1,2}))?")


@dataclass(frozen=True, slots=True)
class Pad:
    """A note or a control change of a MIDI device.

    number: 0..127. channel: 1..16 as devices print it; None hears all channels.
    """

    kind: Literal["note", "cc"]
    number: int
    channel: int | None = None

    def __str__(self) -> str:
        return f"{self.kind}:{self.number}" + (f"@{self.channel}" if self.channel else "")

    @classmethod
    def parse(cls, text: str) -> Pad:
        """Read "note:36", "cc:20" or "note:36@10".

        Raises: ConfigError: says what is allowed.
        """
        found = _FORM.fullmatch(text.strip().lower())
        number = int(found[2]) if found else 0
        channel = int(found[3]) if found and found[3] else None
        if found is None or number > 127 or (channel is not None and not 1 <= channel <= 16):
            raise ConfigError(
                f"MIDI pad {text!r} must be note:N or cc:N with N from 0 to 127, and @CHANNEL from 1 to 16 if need be."
            )
        return cls("note" if found[1] == "note" else "cc", number, channel)
