"""Runs `livefilter` in processes of their own that share one start: Python and what every command imports load once."""

from __future__ import annotations

import atexit
import functools
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

# macOS has libraries that do not survive a fork.
_FORKS = sys.platform.startswith("linux")


def run_command(
    arguments: Sequence[str], cwd: Path, environment: Mapping[str, str], timeout_s: float = 200.0
) -> subprocess.CompletedProcess[str]:
    """Run the program to its end, as `python -m livefilter` would.

    Raises: subprocess.TimeoutExpired.
    """
    command = [sys.executable, "-m", "livefilter", *arguments]
    if not _FORKS:
        return subprocess.run(
            command, capture_output=True, text=True, cwd=cwd, env=environment, timeout=timeout_s, check=False
        )
    with tempfile.TemporaryDirectory() as folder:
        said = [Path(folder) / name for name in ("stdout", "stderr")]
        code = _starter().run(arguments, cwd, environment, said, timeout_s)
        out, err = (path.read_text() for path in said)
    return subprocess.CompletedProcess(command, code, out, err)


@functools.cache
def _starter() -> _Starter:
    return _Starter()


class _Starter:
    """A process that has imported the command line and forks for each command."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.commands"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path(__file__).resolve().parents[1],
        )
        atexit.register(self._end)

    def run(
        self,
        arguments: Sequence[str],
        cwd: Path,
        environment: Mapping[str, str],
        said: Sequence[Path],
        timeout_s: float,
    ) -> int:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        words = [list(arguments), str(cwd), dict(environment), [str(path) for path in said]]
        stdin.write(json.dumps(words).encode() + b"\n")
        stdin.flush()
        child = int(stdout.readline())
        late = not select.select([stdout], [], [], timeout_s)[0]
        if late:
            os.kill(child, signal.SIGKILL)
        code = int(stdout.readline())
        if late:
            raise subprocess.TimeoutExpired(list(arguments), timeout_s)
        return code

    def _end(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait(10)


def _serve() -> None:
    """For each line of stdin fork a command; tell its process, and what it ended with."""
    before = dict(os.environ)
    os.environ["OPENCV_LOG_LEVEL"] = "ERROR"  # as the program sets it before it loads OpenCV
    for module in ("main", "run", "render"):
        importlib.import_module(f"livefilter.cli.{module}")
    kept = {name: value for name, value in os.environ.items() if name not in before}  # livefilter.quiet's
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    for line in iter(sys.stdin.buffer.readline, b""):
        arguments, cwd, environment, said = json.loads(line)
        child = os.fork()
        if child == 0:
            _become(arguments, cwd, kept | environment, said)
        answers.write(f"{child}\n")
        answers.write(f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}\n")


def _become(arguments: list[str], cwd: str, environment: dict[str, str], said: list[str]) -> NoReturn:
    """Be the command, to its end."""
    from livefilter.cli.main import main

    code: object = 1
    try:
        for number, path in ((0, os.devnull), (1, said[0]), (2, said[1])):
            os.dup2(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), number)
        os.chdir(cwd)
        os.environ.clear()
        os.environ.update(environment)
        sys.argv = ["livefilter", *arguments]
        main()
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
    finally:
        threading._shutdown()  # type: ignore[attr-defined]  # waits for the threads that an exit waits for
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 0 if code is None else 1)


if __name__ == "__main__":
    _serve()
