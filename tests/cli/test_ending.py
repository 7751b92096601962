"""How commands that write files are ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress

import pytest

from livefilter.cli.ending import ends_like_ctrl_c


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_what_a_library_swallows_is_remembered(name: str) -> None:
    """Each signal raises what Ctrl-C raises, and sets the event; afterwards all is as it was."""
    number = getattr(signal, name, None)
    if number is None:
        pytest.skip(f"no {name} on this system")
    before = signal.getsignal(number)
    with ends_like_ctrl_c() as ended:
        assert not ended.is_set()
        with suppress(KeyboardInterrupt):
            signal.raise_signal(number)
            pytest.fail("it went on")
        assert ended.is_set()
    assert signal.getsignal(number) == before


def test_what_is_switched_off_stays_so() -> None:
    """As under nohup, which a closed terminal does not end."""
    number = getattr(signal, "SIGHUP", signal.SIGTERM)
    before = signal.signal(number, signal.SIG_IGN)
    try:
        with ends_like_ctrl_c() as ended:
            signal.raise_signal(number)
        assert not ended.is_set()
    finally:
        signal.signal(number, before)


_FORGETS = """
import os
from livefilter.cli.ending import forget_terminal
before = os.listdir("/proc/self/fd")
forget_terminal()
assert os.listdir("/proc/self/fd") == before
assert os.read(0, 1) == b"" and os.write(1, b"nowhere")
os.write(2, b"kept")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="files that are open are counted in /proc")
def test_a_terminal_that_is_gone_is_forgotten_without_a_trace() -> None:
    """Nothing stays open for it, and what was no terminal goes where it went."""
    near, far = os.openpty()
    done = subprocess.run([sys.executable, "-c", _FORGETS], stdin=far, stdout=far, stderr=subprocess.PIPE, timeout=60)
    os.set_blocking(near, False)
    with pytest.raises(BlockingIOError):
        os.read(near, 99)
    os.close(near)
    os.close(far)
    assert (done.returncode, done.stderr) == (0, b"kept")


@pytest.mark.skipif(sys.platform == "win32", reason="it has no such numbers")
def test_what_was_closed_before_is_nowhere_then() -> None:
    """The number of an input that nobody gave is not left to the next file that is opened."""
    words = "import os; from livefilter.cli.ending import forget_terminal; os.close(0); forget_terminal(); os.fstat(0)"
    done = subprocess.run([sys.executable, "-c", words], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
