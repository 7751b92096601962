"""All streams of a wall."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from livefilter.closeable import Closeable
from livefilter.masking import mask_text
from livefilter.wall.config import StreamPlan
from livefilter.wall.watched import Watched


class Wall(Closeable):
    """Starts every stream and keeps them running.

    plans: the streams. watch: makes a stream of a plan.
    """

    def __init__(self, plans: Sequence[StreamPlan], watch: Callable[[StreamPlan], Watched] = Watched) -> None:
        self.streams: list[Watched] = []
        try:
            for plan in plans:
                self.streams.append(watch(plan))
        except BaseException:
            self.close()
            raise

    def look(self) -> bool:
        """Look after every stream; False when all of them are at their end."""
        for stream in self.streams:
            stream.look()
        return any(stream.state not in ("ended", "refused", "stopped") for stream in self.streams)

    def state(self) -> list[dict[str, Any]]:
        """What each stream is and how it is, without secrets."""
        return [
            {
                "name": stream.plan.name,
                "state": stream.state,
                "restarts": stream.restarts,
                "error": mask_text(stream.error),
                "style": stream.told.get("style", stream.plan.settings.get("style", "")),
                "input": mask_text(str(stream.told.get("input", ""))),
                "outputs": [mask_text(str(output)) for output in stream.told.get("outputs", ())],
                "waits_for": mask_text(str(stream.told.get("waits_for", ""))),
                "device": stream.told.get("on", ""),
            }
            for stream in self.streams
        ]

    def meters(self) -> dict[str, dict[str, Any]]:
        """The figures of each stream, by its name."""
        return {
            stream.plan.name: {
                **stream.told.get("figures", {}),
                "up": int(stream.state == "running"),
                "restarts": stream.restarts,
            }
            for stream in self.streams
        }

    def close(self) -> None:
        for stream in self.streams:
            stream.close()
