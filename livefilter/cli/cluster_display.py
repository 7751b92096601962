"""How a render on a cluster is shown: one line of progress, and what happens above it."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from livefilter.cluster.crew import Said
from livefilter.cluster.pace import Snapshot


class ClusterDisplay:
    """Shows where a run stands in a terminal; elsewhere only what happens, a line each.

    quiet: nothing but warnings.
    """

    def __init__(self, console: Console, *, quiet: bool = False) -> None:
        self._console, self._quiet = console, quiet
        self._bar = Progress(
            BarColumn(24),
            TextColumn("{task.percentage:>3.0f}%"),
            TextColumn("{task.description}", markup=False),
            TimeElapsedColumn(),
            console=console,
        )
        self._task = self._bar.add_task("starting", total=1.0)

    def say(self, said: Said) -> None:
        """One line."""
        if said.warning:
            self._console.print(f"[yellow]{escape(said.text)}[/]", soft_wrap=True)
        elif not self._quiet:
            self._console.print(escape(said.text), soft_wrap=True)

    def show(self, snapshot: Snapshot) -> None:
        """The newest state of the run."""
        if self._quiet or not self._console.is_terminal:
            return
        self._bar.start()  # not before there is something to show; starting twice is harmless
        self._bar.update(self._task, completed=snapshot.share, description=describe(snapshot))

    def close(self) -> None:
        """Leave the line as it is. Can be called twice."""
        self._bar.stop()


def describe(snapshot: Snapshot) -> str:
    """Files, segments, the rate of each machine and what is left, in one line."""
    done, files = snapshot.files
    parts = [f"{done}/{files} files"]
    if snapshot.segments[1]:
        parts.append(f"{snapshot.segments[0]}/{snapshot.segments[1]} segments")
    if snapshot.failed:
        parts.append(f"{snapshot.failed} failed")
    each = [f"{host} {fps:.1f}" for host, fps in sorted(snapshot.fps.items())]
    parts.append(f"fps {', '.join(each[:6])}{' ...' if len(each) > 6 else ''}" if each else "waiting for workers")
    if snapshot.eta_s is not None:
        minutes, seconds = divmod(round(snapshot.eta_s), 60)
        parts.append(f"ETA {minutes // 60}:{minutes % 60:02d}:{seconds:02d}")
    return "  ".join(parts)
