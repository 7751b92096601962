"""Twenty films on three nodes, of which one is killed in the middle, against one machine.

python -m tools.scale.seen FILMS FOLDER [FLAG ...]: renders FILMS into FOLDER/one and FOLDER/three, prints what is
said, and compares the files byte for byte. Exit code 0 when all are the same.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tools.scale.nodes import Nodes, environment

_POLL_S = 0.2
_KILL_AFTER = 5


def say(text: str) -> None:
    """One line of the log."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def run(
    arguments: list[str], told: Mapping[str, str], meanwhile: Callable[[subprocess.Popen[str]], None] | None = None
) -> int:
    """Run `livefilter`, and log each of its lines with the second in which it came."""
    say(f"$ livefilter {' '.join(arguments)}")
    began = time.monotonic()
    command = [sys.executable, "-m", "livefilter", *arguments]
    with subprocess.Popen(command, env=dict(told), stderr=subprocess.PIPE, text=True) as process:
        watcher = threading.Thread(target=meanwhile, args=(process,)) if meanwhile else None
        if watcher is not None:
            watcher.start()
        assert process.stderr is not None
        for line in process.stderr:
            if line.strip():
                say(f"[{time.monotonic() - began:6.1f} s] {line.rstrip()}")
        process.wait()
        if watcher is not None:
            watcher.join()
    say(f"[{time.monotonic() - began:6.1f} s] exit code {process.returncode}")
    return process.returncode


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file of a folder."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def main() -> int:
    """Do it, and compare."""
    films, folder, flags = sys.argv[1], Path(sys.argv[2]), sys.argv[3:]
    one, three = folder / "one", folder / "three"
    codes = [run(["render", films, str(one), *flags], environment())]
    with tempfile.TemporaryDirectory(prefix="lf-") as short, Nodes(3, Path(short)) as nodes:

        def kill_one(process: subprocess.Popen[str]) -> None:
            while process.poll() is None and len(list(three.glob("[0-9]*"))) < _KILL_AFTER:
                time.sleep(_POLL_S)
            nodes.tell("kill 1")
            say(
                f"          --- node 1 of 0, 1, 2 is killed (SIGKILL to all of its processes), {_KILL_AFTER} films done"
            )

        say("three nodes are started on this machine, each with one core")
        codes.append(
            run(["render", films, str(three), "--cluster", nodes.address, *flags], nodes.environment, kill_one)
        )
    alone, together = digests(one), digests(three)
    same = [name for name in alone if together.get(name) == alone[name]]
    for name in alone:
        say(f"{alone[name][:16]} {together.get(name, '-')[:16]} {'same' if name in same else 'DIFFERENT'} {name}")
    say(f"{len(same)} of {len(alone)} files are the same byte for byte")
    return int(codes != [0, 0] or len(same) != len(alone) or len(together) != len(alone))


if __name__ == "__main__":
    sys.exit(main())
