"""What somebody new does: the README's first command, in this very clone, until its page answers; then Ctrl-C.

`python3 -m tests.first_minutes`, with nothing installed but Python. Exit status 0: the page came, the run ended well.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_INSTALL_S = 600.0
_END_S = 30.0


def commands() -> tuple[str, str]:
    """The two commands of the README that set everything up: the one that runs, and the one that tests."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    run, test = re.findall(r"^    (python3 -m venv .*)$", text, re.M)
    return run, test


def main() -> int:
    """Run the first command, see its page, and end it as Ctrl-C does."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
        running = subprocess.Popen(
            ["bash", "-c", commands()[0]],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            page = _page(running, said)
            os.killpg(running.pid, signal.SIGINT)
            status = running.wait(_END_S)
        finally:
            if running.poll() is None:
                os.killpg(running.pid, signal.SIGKILL)
            said.seek(0)
            sys.stdout.write(said.read())
    sys.stdout.write(f"{page or 'No page'} answered; the run ended with {status}.\n")
    return 0 if page and status == 0 else 1


def _page(running: subprocess.Popen[bytes], said: object) -> str:
    """The address of the page, once it has answered with a page; "" where it never does."""
    descriptor = said.fileno()  # type: ignore[attr-defined]
    end = time.monotonic() + _INSTALL_S
    while time.monotonic() < end and running.poll() is None:
        found = re.search(rb"http://127\.0\.0\.1:\d+/", os.pread(descriptor, 1 << 20, 0))
        if found:
            address = found[0].decode()
            try:
                with urllib.request.urlopen(address, timeout=10) as answer:
                    if answer.status == 200 and b"<html" in answer.read().lower():
                        return address
            except OSError:
                pass  # not yet
        time.sleep(0.5)
    return ""


if __name__ == "__main__":
    sys.exit(main())
