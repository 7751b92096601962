"""Runs the system tests on a real kernel with a webcam and a virtual camera, inside a guest.

python -m tests.system                     # all of them; the user-mode guest when it is prepared, else QEMU
python -m tests.system --quick --or-skip   # what CI runs
python -m tests.system --guest um --prepare
python -m tests.system --run 'v4l2-ctl --list-devices'
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.system.guests import FULL_SPEED_S, GUESTS, QEMU, UM, Guest, GuestMissing, pytest_command

_SYSTEM = "tests/system"


def main() -> int:
    """Prepare, boot, test: 0 when all is well or skipped, else the tests' exit code, 125 for a guest that broke.

    With --or-skip only a test that failed makes it fail: a guest that breaks or is too slow says nothing of it. So a
    test that failed counts only where the guest started at full speed both before and after.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.system", description=__doc__.splitlines()[0])
    parser.add_argument("--guest", choices=GUESTS, help="um when it is prepared, else qemu")
    parser.add_argument("--quick", action="store_true", help="the few tests that also run well in QEMU")
    parser.add_argument("--or-skip", action="store_true", help="where the guest cannot run, say why and end with 0")
    parser.add_argument("--prepare", action="store_true", help="only prepare the guest")
    parser.add_argument("--run", metavar="COMMAND", help="run a shell command in the guest in place of the tests")
    parser.add_argument("--out", type=Path, help="folder that the guest sees as /out, for what shall be kept")
    parser.add_argument("--limit", type=int, default=1800, metavar="SECONDS", help="the guest is ended after this time")
    given, to_pytest = parser.parse_known_args()
    guest = GUESTS[given.guest] if given.guest else UM if UM.prepared else QEMU
    try:
        guest.prepare()
        if given.prepare:
            _say(f"prepared in {guest.cache}")
            return 0
        took_s = guest.boot()
    except GuestMissing as missing:
        _say(f"{'skipped' if given.or_skip else 'cannot run'}, guest {guest.name}: {missing}")
        return 0 if given.or_skip else 125
    command = given.run
    if command is None:
        chosen = ["-m", "quick"] if given.quick else []
        paths = [] if any(argument.startswith(_SYSTEM) for argument in to_pytest) else [_SYSTEM]
        command = pytest_command(*chosen, *paths, *to_pytest)
    _say(f"guest {guest.name}: {command}")
    code = guest.run(command, given.limit, given.out)
    if code == 125:
        skipped = "skipped: " if given.or_skip else ""
        _say(f"{skipped}the guest {guest.name} ended without an answer, or ran longer than {given.limit} s")
        return 0 if given.or_skip else code
    if code != 0 and given.or_skip and (why := _too_slow(guest, took_s)):
        _say(f"skipped: a test failed (exit code {code}), which says nothing here: {why}")
        return 0
    return code


def _too_slow(guest: Guest, took_s: float) -> str | None:
    """Why failures in a guest whose start took `took_s` may be this machine's fault; None when they cannot."""
    try:
        slowest_s = max(took_s, guest.boot())
    except GuestMissing as missing:
        return str(missing)
    return f"the guest took {slowest_s:.0f} s to start, not {FULL_SPEED_S}" if slowest_s > FULL_SPEED_S else None


def _say(text: str) -> None:
    sys.stdout.write(f"system tests: {text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
