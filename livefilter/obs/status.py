"""What others may know of the connection to OBS."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ObsStatus:
    """One moment of it.

    connected: whether a session is open. trouble: why not, with the fix. scene: what OBS shows.
    on_air: "streaming", "recording". source: our picture's name in OBS, "" while it is nowhere. way: how it comes.
    microphone: the input that is kept in time, "" for none; why_not says why. offset_ms: its sound offset now.
    users_ms: of it, the user's own. delay_ms: of the picture as OBS gets it. path_ms: of it, what the way adds,
        measured or estimated.
    """

    connected: bool = False
    trouble: str = ""
    version: str = ""
    scene: str = ""
    on_air: tuple[str, ...] = ()
    source: str = ""
    way: str = ""
    microphone: str = ""
    why_not: str = ""
    offset_ms: int | None = None
    users_ms: int = 0
    delay_ms: int | None = None
    path_ms: int = 0
    path_measured: bool = False

    def __str__(self) -> str:
        if not self.connected:
            return self.trouble or "connecting"
        parts = [f"{self.version}, scene {self.scene}", *self.on_air]
        if not self.source:
            parts.append("livefilter is in no scene yet: the action add_to_obs puts it there")
        elif self.microphone and self.offset_ms is not None:
            yours = f" (yours {self.users_ms})" if self.users_ms else ""
            parts.append(f"{self.microphone} {self.offset_ms} ms{yours}")
        elif self.why_not:
            parts.append(self.why_not)
        return ", ".join(parts)
