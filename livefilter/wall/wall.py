"""All streams of a wall."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from livefilter.closeable import Closeable
from livefilter.errors import StageStuck
from livefilter.masking import mask_text
from livefilter.wall.config import StreamPlan
from livefilter.wall.process import Running
from livefilter.wall.watched import OVER, Watched

if TYPE_CHECKING:
    from livefilter.wall.machines import Machines


class Wall(Closeable):
    """Starts every stream and keeps them running.

    plans: the streams. watch: makes a stream of a plan. machines: of a cluster; None for this machine alone.
    leaves: whether a stream that runs on this machine alone is to be started anew, elsewhere on it.
    """

    def __init__(
        self,
        plans: Sequence[StreamPlan],
        watch: Callable[[StreamPlan], Watched] = Watched,
        machines: Machines | None = None,
        leaves: Callable[[Running, StreamPlan], bool] = lambda run, plan: False,
    ) -> None:
        self.streams: list[Watched] = []
        self.machines = machines
        self._leaves = machines.leaves if machines is not None else leaves
        try:
            for plan in plans:
                self.streams.append(watch(plan))
        except BaseException:
            self.close()
            raise

    def look(self) -> bool:
        """Look after every stream; False when all of them are at their end."""
        if self.machines is not None:
            self.machines.look()
        self._move()
        for stream in self.streams:
            stream.look()
        return any(stream.state not in OVER for stream in self.streams)

    def state(self) -> list[dict[str, Any]]:
        """What each stream is and how it is, without secrets."""
        return [
            {
                "name": stream.plan.name,
                "state": stream.state,
                "restarts": stream.restarts,
                "error": mask_text(stream.lacks or stream.error),
                "style": stream.told.get("style", stream.plan.settings.get("style", "")),
                "input": mask_text(str(stream.told.get("input", ""))),
                "outputs": [mask_text(str(output)) for output in stream.told.get("outputs", ())],
                "waits_for": mask_text(str(stream.told.get("waits_for", ""))),
                "device": stream.told.get("on", ""),
                "machine": stream.machine,
            }
            for stream in self.streams
        ]

    def meters(self) -> dict[str, dict[str, Any]]:
        """The figures of each stream, by its name."""
        return {
            stream.plan.name: {
                **stream.told.get("figures", {}),
                "cores": stream.told.get("cores"),
                **stream.told.get("engine", {}),
                "up": int(stream.state == "running"),
                "restarts": stream.restarts,
            }
            for stream in self.streams
        }

    def close(self) -> None:
        for stream in self.streams:
            stream.end()  # all at once
        stuck: list[StageStuck] = []
        for stream in self.streams:
            try:
                stream.close()
            except StageStuck as error:
                stuck.append(error)
        if stuck:
            raise stuck[0]

    def _move(self) -> None:
        """Move streams from where they are not to stay, one after the other."""
        if any(stream.state == "moving" for stream in self.streams):
            return
        for stream in self.streams:
            if stream.running is not None and self._leaves(stream.running, stream.plan):
                stream.move()
                return
