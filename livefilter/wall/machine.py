"""One machine of a cluster, as the wall knows it."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from livefilter.wall.cost import Cost
from livefilter.wall.elsewhere import RemoteRun
from livefilter.wall.placement import Place

# Has no part in what a stream costs, or must not be opened twice.
_OFF = {"input": "demo", "output": ["null"], "obs": {}, "midi": "off", "osc": "off", "hotkeys": "off", "loop": True}


@dataclass
class Trial:
    """A stream that shows the demo to nobody, to see what its kind costs."""

    kind: str
    run: RemoteRun
    since: float


@dataclass
class Machine:
    """One node of Ray. name: as the machine is called. place: None until its keeper has answered.

    costs: by kind of stream, or why it can run none of them. leaves: its streams are to move away.
    """

    node: str
    name: str
    resources: Mapping[str, float]
    keeper: Any
    hello: Any
    since: float
    place: Place | None = None
    asked: Any = None
    asked_at: float = 0.0
    leaves: bool = False
    runs: dict[int, RemoteRun] = field(default_factory=dict)
    costs: dict[str, Cost | str] = field(default_factory=dict)
    trial: Trial | None = None


@functools.lru_cache(maxsize=1024)
def kind_of(settings: str) -> tuple[str, dict[str, Any]]:
    """Its name, and the settings of a trial of it."""
    tried = json.loads(settings) | _OFF
    return hashlib.sha256(json.dumps(tried, sort_keys=True).encode()).hexdigest()[:16], tried
