"""What many workers and Ray itself cost on this machine.

python -m tools.scale.measure FILMS MINUTE.mp4 FOLDER [FLAG ...], with a folder of short films, one of 60 s, and a
folder for results, which must not exist. Prints JSON: seconds of each run by the clock, from the start of the process
to its end, and seconds of the cores that the processes took.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path


def timed(folder: Path, name: str, source: str, suffix: str, *flags: str) -> dict[str, object]:
    """Run `livefilter render` once."""
    target = folder / f"{name.replace(' ', '-')}{suffix}"
    command = [sys.executable, "-m", "livefilter", "render", source, str(target), *flags]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    found: dict[str, object] = {"run": name, "seconds": round(seconds, 2), "cpu_s": round(cpu_s, 2)}
    found |= {"flags": " ".join(flags), "code": done.returncode, "said": done.stderr.strip().splitlines()[-1:]}
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()
    return found


def main() -> None:
    """Every run, one after the other."""
    films, minute, folder, flags = sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4:]
    folder.mkdir()
    os.environ["OMP_NUM_THREADS"] = "1"
    local = ("--cluster", "local", *flags)
    timed(folder, "minute plain", minute, ".mp4", "--threads", "2", *flags)
    timed(folder, "minute one worker", minute, ".mp4", *local, "--threads", "2", "--workers", "1", "--cut", "0")
    timed(folder, "minute two workers cut", minute, ".mp4", *local, "--threads", "1", "--workers", "2")
    timed(folder, "films plain", films, "", "--threads", "1", *flags)
    for workers in ("1", "2", "4"):
        timed(folder, f"films {workers} workers", films, "", *local, "--threads", "1", "--workers", workers)


if __name__ == "__main__":
    main()
