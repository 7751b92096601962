"""What the run asks of those who work, wherever they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeAlias

from livefilter.cluster.tasks import Outcome, Task


@dataclass(frozen=True, slots=True)
class Member:
    """A worker that is ready. node: the machine's number, host: its name. reaches: it sees the folder of results."""

    number: int
    node: str
    host: str
    device: str
    reaches: bool = True


@dataclass(frozen=True, slots=True)
class Finished:
    """A task came to its end."""

    member: Member
    task: Task
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Lost:
    """A worker is gone, with its task. with_node: the whole machine is."""

    member: Member
    task: Task
    with_node: bool


@dataclass(frozen=True, slots=True)
class Said:
    """Something that whoever waits is to be told: a machine came, went or cannot be used. gone: it went."""

    text: str
    warning: bool = False
    gone: bool = False


Event: TypeAlias = Finished | Lost | Said


class Crew(Protocol):
    """Workers on one or many machines."""

    def members(self) -> list[Member]:
        """Those who are ready now, busy or not."""

    def starting(self) -> set[str]:
        """The machines on which workers are being started."""

    def needed(self) -> None:
        """There is a task that nobody is free for: let those come who may."""

    def submit(self, member: Member, task: Task) -> None:
        """Hand a task to a member that has none."""

    def cancel(self, member: Member, task: Task) -> None:
        """End a task early; it comes to its end all the same, as Finished."""

    def wait(self, timeout_s: float) -> list[Event]:
        """What has happened; waits until something has, or the time is over.

        Raises: ClusterUnavailable: nobody is left, and nobody will come.
        """

    def progress(self) -> dict[int, tuple[int, int]]:
        """Of each busy member, by its number: the task in work and how many of its frames are done."""

    def close(self) -> None:
        """Let all of them go. Can be called twice."""
