"""Imports a stranger's file in a process of its own, which can be ended whatever the file does to it."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from livefilter.errors import BackendUnavailable, InvalidInput, LivefilterError, StyleCorrupt
from livefilter.generator.importing import ImportedGenerator
from livefilter.styles.accepts import Accepts
from livefilter.styles.network_file import MOST_BYTES, external_files, files_beside
from livefilter.text import printable
from livefilter.whole_file import read_plain

_LOOK_EVERY_S = 0.05
RESULT, NETWORK, PICTURE = "result.json", "network.onnx", "picture.jpg"
_KINDS = {kind.__name__: kind for kind in (InvalidInput, StyleCorrupt, BackendUnavailable)}


@dataclass(frozen=True, slots=True)
class Limits:
    """What an import may take: seconds of time, and bytes of memory."""

    time_s: float = 120.0
    memory: int = 4 << 30


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import made: the network, a picture of before and after as JPEG, and the bytes that were read."""

    incoming: ImportedGenerator
    picture: bytes
    original: bytes


def import_apart(path: Path, limits: Limits | None = None) -> Imported:
    """Read, check and try a generator, see importing.import_generator, within limits and in reach of Ctrl-C.

    Of an ONNX file, files of weights that lie beside it are taken in.
    Raises: InvalidInput: it is no generator, takes too long or too much memory, or breaks what reads it.
    """
    limits = limits or Limits()
    with tempfile.TemporaryDirectory(prefix="livefilter-import-") as made:
        folder = Path(made)
        original = _copy(path, folder)
        said = folder / "said.txt"
        with said.open("wb") as said_file:
            process = subprocess.Popen(
                [sys.executable, "-m", "livefilter.generator.import_process", path.name, str(limits.memory)],
                cwd=folder,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(part for part in sys.path if part)},
                stdin=subprocess.DEVNULL,
                stdout=said_file,
                stderr=subprocess.STDOUT,
                # Out of reach of the terminal's Ctrl-C, which a library may not let through: this process ends it.
                start_new_session=True,
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )
            try:
                trouble = _watch(process, limits)
            finally:
                _end(process)
        if trouble:
            raise InvalidInput(f"{path} {trouble} It was not imported, and nothing of it is left.")
        return Imported(_result(path, folder, process.returncode), (folder / PICTURE).read_bytes(), original)


def _copy(path: Path, folder: Path) -> bytes:
    """Take the file and its weights to a folder of our own, so that what is checked is what is read."""
    try:
        data = read_plain(path, MOST_BYTES)
        (folder / path.name).write_bytes(data)
        if path.suffix.lower() == ".onnx":
            for beside in files_beside(path, external_files(data)):
                (folder / beside.name).write_bytes(read_plain(beside, MOST_BYTES))
    except FileNotFoundError as error:
        raise InvalidInput(f"The file {path} does not exist. Check the name.") from error
    except OSError as error:
        raise InvalidInput(
            f"{path} cannot be read: {error.strerror}. Check the file and the room on the disk."
        ) from error
    except ValueError as error:
        raise InvalidInput(f"{path} is no ONNX file, or is damaged ({error}). Get it again.") from error
    return data


def _watch(process: subprocess.Popen[bytes], limits: Limits) -> str:
    """Wait for the end; why it was not waited for any longer, "" where it ended by itself."""
    deadline = time.monotonic() + limits.time_s
    with contextlib.suppress(psutil.Error):
        watched = psutil.Process(process.pid)
        while process.poll() is None:
            if time.monotonic() > deadline:
                return f"was not read and tried within {limits.time_s:.0f} s."
            # The child bounds itself too, where its system can; this is for the others.
            if watched.memory_info().rss > limits.memory:
                return f"needs more than {limits.memory / (1 << 30):.1f} GiB of memory."
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_LOOK_EVERY_S)
    process.wait(max(0.1, deadline - time.monotonic()))
    return ""


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.kill()
    process.wait(10.0)


def _result(path: Path, folder: Path, code: int) -> ImportedGenerator:
    try:
        said: dict[str, Any] = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        raise InvalidInput(
            f"{path} broke what reads it ({how}). Get it again, or report it with its origin."
        ) from error
    if "error" in said:
        text = str(said["error"]).replace(str(folder / path.name), str(path))
        kind: type[LivefilterError] = _KINDS.get(said.get("kind", ""), InvalidInput)
        raise kind(text if str(path) in text else text.replace(path.name, str(path), 1))
    facts = said["facts"]
    accepts = facts.pop("accepts")
    accepts = Accepts(accepts["multiple"], tuple(accepts["size"]) if accepts["size"] else None)
    facts["found"] = printable(facts["found"])[:200]
    return ImportedGenerator(
        data=(folder / NETWORK).read_bytes(), accepts=accepts, run_size=tuple(facts.pop("run_size")), **facts
    )


def facts(incoming: ImportedGenerator) -> dict[str, Any]:
    """An ImportedGenerator as JSON takes it, without the network itself."""
    return {name: value for name, value in dataclasses.asdict(incoming).items() if name != "data"}
