"""The guest kernels with a webcam and a virtual camera, see README.md beside this file."""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
# Set in the guest, to its name: the tests load and unload drivers, which is nothing for a machine that somebody uses.
INSIDE = "LIVEFILTER_INSIDE_GUEST"
# Booting and importing takes 20 s in QEMU on two quiet cores. A guest that needs longer than this is so starved that a
# test which waits for minutes would still fail without a fault of livefilter's.
START_LIMIT_S = 60
# Up to this it runs at the speed that its tests are made for.
FULL_SPEED_S = 30
_IMPORTS = "import av, cv2, numpy, onnx, onnxruntime, pyvirtualcam"


class GuestMissing(Exception):
    """This machine cannot start the guest: why, and what to do."""


@dataclass(frozen=True)
class Guest:
    """One kind of guest.

    needs: programs, each with Debian's package that has it. prepare_s: how long preparing may take.
    """

    name: str
    needs: dict[str, str]
    prepare_s: int

    @property
    def cache(self) -> Path:
        """Where the prepared kernel lies: an ignored folder, or the one that LIVEFILTER_GUEST names."""
        return Path(os.environ.get("LIVEFILTER_GUEST", HERE / ".guest")).resolve() / self.name

    @property
    def prepared(self) -> bool:
        """Whether there is a kernel to start."""
        return (self.cache / "ready").exists()

    def prepare(self) -> None:
        """Download and build what `run` starts; nothing when it is there.

        Raises: GuestMissing.
        """
        if self.prepared:
            return
        if not sys.platform.startswith("linux") or platform.machine() != "x86_64":
            raise GuestMissing(f"the guest runs on x86-64 Linux, not on {platform.machine()} {sys.platform}")
        lacking = sorted({package for program, package in self.needs.items() if shutil.which(program) is None})
        if "apt" in lacking:
            raise GuestMissing("the guest's kernel is Debian's, and there is no apt-get here")
        if lacking:
            raise GuestMissing(f"missing: apt-get install --no-install-recommends {' '.join(lacking)}")
        try:
            done = subprocess.run(
                [HERE / "guest" / self.name / "prepare.sh"],
                env={**os.environ, "VMDIR": str(self.cache)},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=self.prepare_s,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise GuestMissing(f"preparing it took more than {self.prepare_s} s") from error
        if done.returncode != 0:
            last = (done.stdout.strip() or "it said nothing").splitlines()[-5:]
            raise GuestMissing(f"preparing it failed ({done.returncode}): {' | '.join(last)}")

    def boot(self) -> float:
        """Start it once, and this Python in it; returns the seconds that it took.

        Raises: GuestMissing: it did not come up, did not do that, or took too long.
        """
        started = time.monotonic()
        code = self.run(shlex.join([sys.executable, "-c", _IMPORTS]), limit_s=START_LIMIT_S)
        seconds = time.monotonic() - started
        if code == 125 and seconds >= START_LIMIT_S:
            raise GuestMissing(f"it is too slow here: not up within {START_LIMIT_S} s")
        if code != 0:
            raise GuestMissing(f"it does not start here ({code}); what it said is above")
        return seconds

    def run(self, command: str, limit_s: int, out: Path | None = None) -> int:
        """Run a shell command in it, in this working copy: the command's exit code, 125 when the guest itself failed.

        The command sees this machine's files and changes only its own copy of them, but for /out, which is `out`.
        It gets those variables of the environment that begin with LIVEFILTER_.
        """
        environment = {**os.environ, "VMDIR": str(self.cache), "VM_TIMEOUT": str(limit_s)}
        if out is not None:
            environment["VM_OUT"] = str(out)
        told = [f"{name}={value}" for name, value in os.environ.items() if name.startswith("LIVEFILTER_")]
        command = f"export {shlex.join([*told, f'{INSIDE}={self.name}'])}; {command}"
        return subprocess.run([HERE / "guest" / self.name / "run.sh", command], env=environment, cwd=ROOT).returncode


_KERNEL = {
    "apt-get": "apt",
    "dpkg": "dpkg",
    "gcc": "gcc",
    "make": "make",
    "modprobe": "kmod",
    "strip": "binutils",
    "v4l2-ctl": "v4l-utils",
}
QEMU = Guest(
    "qemu", {**_KERNEL, "qemu-system-x86_64": "qemu-system-x86", "busybox": "busybox-static", "cpio": "cpio"}, 300
)
UM = Guest("um", {**_KERNEL, "flex": "flex", "bison": "bison", "bc": "bc", "patch": "patch", "xz": "xz-utils"}, 3600)
GUESTS = {guest.name: guest for guest in (UM, QEMU)}


def pytest_command(*arguments: str) -> str:
    """The shell command that runs system tests with this very Python."""
    limits = ("--timeout=400", "-p", "no:cacheprovider", "-s", "-v")
    return shlex.join([sys.executable, "-m", "pytest", *limits, *arguments])
