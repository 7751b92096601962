"""What the governor does, for whoever shows it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GovernorChange:
    """One change.

    at_s: seconds since the start of the run. text: what and why, as "size 360 -> 288: other programs".
    """

    at_s: float
    text: str


@dataclass(frozen=True, slots=True)
class GovernorState:
    """One moment of the governor; a new value replaces it several times a second.

    policy: what it obeys, in words. promised_fps, promised_age_ms: what it holds.
    prefer: "auto", "looks", "speed" or "cool", as it is obeyed. gaming: whether gaming mode is on.
    share_limit, own_share, others_share: of the machine's CPU or GPU, 0 to 1; the first is 1 without a limit.
    size: shorter side in pixels; network: "lite" or "full"; rate_fps: frames that are styled per second at most.
    sizes: what it may choose from. fixed: the user chose the size.
    why: of the newest change, in a few words; empty before the first. changes: the newest ones, oldest first.
    held_share: part of the newest seconds in which the promise was kept; None before the first second.
    held_of_s: how many seconds those are, 60 at most.
    missing: what is being missed now, as "22 of 30 fps"; empty while the promise is kept.
    """

    policy: str
    promised_fps: float
    promised_age_ms: float
    prefer: str = "auto"
    gaming: bool = False
    share_limit: float = 1.0
    own_share: float = 0.0
    others_share: float = 0.0
    size: int = 0
    network: str = ""
    rate_fps: float = 0.0
    sizes: tuple[int, ...] = ()
    fixed: bool = False
    why: str = ""
    changes: tuple[GovernorChange, ...] = ()
    held_share: float | None = None
    held_of_s: int = 60
    missing: str = ""

    def __str__(self) -> str:
        """One line for a person: what is held, what was changed last and why, what is missed."""
        parts = [self.policy]
        if self.changes:
            parts.append(self.changes[-1].text)
        if self.missing:
            parts.append(f"missing: {self.missing}" + (" (the size is fixed)" if self.fixed else ""))
        elif self.held_share is not None and self.held_share < 1:
            span = "minute" if self.held_of_s >= 60 else f"{self.held_of_s} s"
            parts.append(f"held in {self.held_share:.0%} of the last {span}")
        return "; ".join(parts)
