"""A livefilter of its own process beside OBS, and what it says of itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from livefilter.closeable import Closeable
from tests.obs.real_obs import RealObs, free_port

ROOT = Path(__file__).resolve().parents[2]
WAIT_S = 120.0


class RunBeside(Closeable):
    """`livefilter run --obs` until `close`.

    folder: for its settings and what it has to remember. words: more of the command line. settings: lines below [obs].
    display: the X display that it films. slow_s: seconds that it takes for a frame, in place of the style's own.
    """

    def __init__(
        self, folder: Path, obs: RealObs, *words: str, settings: str = "", display: str = "", slow_s: float = 0.0
    ) -> None:
        self.port = free_port()
        self.page = f"http://127.0.0.1:{self.port}"
        self.config = folder / "config.toml"
        self.config.write_text(f'[obs]\non = true\naddress = "{obs.address}"\n{settings}', encoding="utf-8")
        self._log = folder / "livefilter.log"
        self.environment = os.environ | {
            "LIVEFILTER_OBS_PASSWORD": obs.password, "XDG_STATE_HOME": str(folder / "state"),
            "XDG_CONFIG_HOME": str(folder / "config"), "COLUMNS": "200", "SLOW_S": str(slow_s),
        }  # fmt: skip
        if display:
            self.environment["DISPLAY"] = display
        module = "tests.obs.slow_livefilter" if slow_s else "livefilter"
        command = [sys.executable, "-m", module, "run", "--config", str(self.config), "-o", f"page:{self.port}"]
        with self._log.open("ab") as said:
            self._process = subprocess.Popen(
                [*command, "--hotkeys", "off", *words], cwd=ROOT, env=self.environment, stdout=said, stderr=said
            )

    def state(self) -> dict[str, Any]:
        """GET /api/state; empty while there is no page yet, or nothing behind it."""
        try:
            with urllib.request.urlopen(f"{self.page}/api/state", timeout=10) as answer:
                found = dict(json.load(answer))
                return found if found.get("live") else {}
        except OSError:
            assert self._process.poll() is None, self.log()
            return {}

    def do(self, action: str, **values: Any) -> None:
        """Carry out an action."""
        request = urllib.request.Request(
            f"{self.page}/api/actions/{action}", json.dumps(values).encode(), {"Content-Type": "application/json"}
        )
        urllib.request.urlopen(request, timeout=10).close()

    def until(self, seen: Callable[[dict[str, Any]], Any], what: str, timeout_s: float = WAIT_S) -> dict[str, Any]:
        """Ask for the state until something is so. Returns: the state."""
        deadline = time.monotonic() + timeout_s
        while True:
            state = self.state()
            if state and seen(state):
                return state
            assert time.monotonic() < deadline, f"no {what}: {state.get('obs')} {state.get('notices')} {self.log()}"
            time.sleep(0.05)

    def log(self) -> str:
        """What it wrote last."""
        return self._log.read_text(errors="replace")[-1500:]

    def kill(self) -> None:
        """End it as a crash does."""
        self._process.kill()
        self._process.wait(30)

    def close(self) -> None:
        """End it as Ctrl-C does. Can be called twice."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(60)
            except subprocess.TimeoutExpired:
                self.kill()
