"""livefilter with a backend "identity" that takes SLOW_S seconds a frame, and nothing of the machine."""

from __future__ import annotations

import os
import time
from typing import Any

from livefilter.cli.main import main
from livefilter.inference.identity import IdentityEngine

_run = IdentityEngine.run


def slow(self: IdentityEngine, *given: Any) -> Any:
    """Take as long as asked for."""
    until = time.perf_counter() + float(os.environ["SLOW_S"])
    found = _run(self, *given)
    time.sleep(max(0.0, until - time.perf_counter()))
    return found


if __name__ == "__main__":
    setattr(IdentityEngine, "run", slow)  # noqa: B010 - to mypy a method is no variable
    main()
