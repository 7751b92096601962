"""Runs a command beside a file system that does what tests need and no user would.

python -m tests.hostile.mounts KIND FOLDER COMMAND... mounts it at FOLDER, seen by the command alone. "silent" is served
by nobody: whoever looks into it waits until this ends, as on a share whose server is gone. "small" has room for 160 kB.
Linux, "silent" with FUSE; exits with 77 where that is not allowed.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys

from tests.hostile.lonely import NOT_ALLOWED, check, enter_namespaces

_LIMIT_S = 150


def main(kind: str, folder: str, command: list[str]) -> int:
    """Run the command; its exit code."""
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        enter_namespaces(network=False)
        if kind == "silent":
            device = os.open("/dev/fuse", os.O_RDWR)  # the file system ends with it
            options = f"fd={device},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()}"
            check(libc.mount(b"nobody", os.fsencode(folder), b"fuse", 0, options.encode()), "mount")
        else:
            check(libc.mount(b"small", os.fsencode(folder), b"tmpfs", 0, b"size=160k"), "mount")
    except OSError as error:
        sys.stderr.write(f"no file system of its own: {error}\n")
        return NOT_ALLOWED
    return subprocess.run(command, stdin=subprocess.DEVNULL, timeout=_LIMIT_S).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
