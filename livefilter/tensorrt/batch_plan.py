"""Engines for several frames at once, which are built when streams first want them."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace

from livefilter.errors import BuildFailed, EngineMismatch
from livefilter.inference.hardware import Gpu
from livefilter.tensorrt.builder import EngineRequest
from livefilter.tensorrt.lookup import build_arguments, build_command, find_engine
from livefilter.tensorrt.store import EngineStore, StoredEngine

_log = logging.getLogger(__name__)


def find_batch_engine(
    store: EngineStore, request: EngineRequest, gpu: Gpu, sha256: str, build: Callable[[Sequence[str]], None]
) -> tuple[bytes, StoredEngine]:
    """As `find_engine`, but what is missing is built, at the level of the engine for one frame at a time.

    build: runs `livefilter` with arguments, as `build_apart` does.
    Raises: StyleCorrupt; BuildFailed; EngineMismatch: there is none for one frame at a time, or none even then.
    """
    try:
        return find_engine(store, request, gpu, sha256)
    except EngineMismatch:
        sidecar = find_engine(store, replace(request, batch=1), gpu, sha256)[1].sidecar
    level = sidecar.key.level if sidecar is not None else request.level
    _log.info("Building an engine for %d frames at once: %s", request.batch, build_command(request))
    build([*build_arguments(request), "--level", str(level), "--engines", str(store.folder)])
    return find_engine(store, request, gpu, sha256)


def build_apart(arguments: Sequence[str]) -> None:
    """Run `livefilter` with arguments in a process of its own: whatever a build does to it, the streams here go on.

    It also keeps clear of the CUDA graphs that others here may be capturing, which do not survive that somebody waits
    for the whole GPU in their process.
    Raises: BuildFailed: with what it said last.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", "livefilter", *arguments],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(part for part in sys.path if part)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise BuildFailed(f"The build cannot be started: {error.strerror}.") from error
    if done.returncode:
        said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        raise BuildFailed(said[-1].removeprefix("Error: ") if said else f"The build ended with code {done.returncode}.")
