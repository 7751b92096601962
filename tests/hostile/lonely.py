"""Runs a command in a network of its own, where it reaches nobody and every name that it looks up is written down.

python -m tests.hostile.lonely COMMAND... prints {"code", "asked", "files", "output"} as JSON: names in the order in
which they were asked for, and the files that the command left in its home folder, which was empty. Linux; exits with 77
where that is not allowed.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

NOT_ALLOWED = 77

_NEW_MOUNTS, _NEW_USER, _NEW_NETWORK = 0x00020000, 0x10000000, 0x40000000
_BIND, _PRIVATE = 0x1000, 0x4000 | 0x40000
_SET_FLAGS, _UP = 0x8914, 0x1
_NO_SUCH_NAME = 0x8183
_LIMIT_S = 100
# What silences the reporters, and must not be what the test sees.
_SILENCERS = ("CI", "GITHUB_ACTIONS", "TF_BUILD", "DO_NOT_TRACK")


def main(command: list[str]) -> int:
    """Run the command; 0 whatever it does."""
    asked: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        home.mkdir()
        try:
            _leave_everybody(Path(folder))
            resolver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            resolver.bind(("127.0.0.1", 53))
        except OSError as error:
            sys.stderr.write(f"no network of its own: {error}\n")
            return NOT_ALLOWED
        threading.Thread(target=_answer, args=(resolver, asked), daemon=True).start()
        # A test run is told by more variables than CI.
        kept = {
            name: value
            for name, value in os.environ.items()
            if name not in _SILENCERS and not name.startswith(("ORT_", "XDG_", "PYTEST_", "LIVEFILTER_"))
        }
        done = subprocess.run(
            command,
            env=kept | {"HOME": str(home)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_LIMIT_S,
            text=True,
            errors="replace",
        )
        files = sorted(str(path.relative_to(home)) for path in home.rglob("*") if path.is_file())
    said = {"code": done.returncode, "asked": asked, "files": files, "output": done.stdout[-4000:]}
    sys.stdout.write(json.dumps(said) + "\n")
    return 0


def enter_namespaces(*, network: bool) -> None:
    """Enter a user's and mounts' namespaces of our own, and one of the network if asked for. Raises: OSError."""
    user, group = os.getuid(), os.getgid()
    if _libc().unshare(_NEW_USER) == 0:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    check(_libc().unshare(_NEW_MOUNTS | (_NEW_NETWORK if network else 0)), "unshare")
    check(_libc().mount(b"none", b"/", None, _PRIVATE, None), "mount")


def check(result: int, what: str) -> None:
    """Raise what a call of libc's has left in errno. Raises: OSError."""
    if result:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _leave_everybody(folder: Path) -> None:
    """Enter new namespaces: loopback is all there is, and names are looked up at 127.0.0.1. Raises: OSError."""
    enter_namespaces(network=True)
    for path, text in (("/etc/resolv.conf", "nameserver 127.0.0.1\n"), ("/etc/nsswitch.conf", "hosts: files dns\n")):
        if os.path.exists(path):
            own = folder / Path(path).name
            own.write_text(text)
            check(_libc().mount(str(own).encode(), os.path.realpath(path).encode(), None, _BIND, None), path)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sh22x", b"lo", _UP))


def _answer(resolver: socket.socket, asked: list[str]) -> None:
    while True:
        query, sender = resolver.recvfrom(4096)
        asked.append(_name(query))
        resolver.sendto(query[:2] + struct.pack(">H", _NO_SUCH_NAME) + query[4:], sender)


def _name(query: bytes) -> str:
    labels, at = [], 12
    while at < len(query) and query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode("ascii", "replace"))
        at += 1 + query[at]
    return ".".join(labels)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
