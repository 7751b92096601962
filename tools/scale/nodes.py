"""Several nodes of Ray on this machine, in a process of their own; it is told on stdin what becomes of them.

python -m tools.scale.nodes COUNT FOLDER: prints the address, then one line of JSON with the name of each node as
livefilter calls it. Then for each line `kill NUMBER`, `stop NUMBER` (it hangs, but lives) or `drain NUMBER` (Ray is
told that it leaves) of stdin one line when it is done. It ends with stdin.
With two more folders, HIDDEN and SMALL, there is one more node, the last one: it sees nothing in HIDDEN, and works on a
disk of 16 KB in SMALL. Root alone may start one.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import json
import os
import platform
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil
from typing_extensions import Self

# Of Ray's DrainNodeReason.
_PREEMPTION = 2
_NEW_MOUNTS = 0x00020000
ROOT = Path(__file__).resolve().parents[2]


def environment() -> dict[str, str]:
    """What every process of a cluster on this machine needs, with a token of its own."""
    return {
        **os.environ,
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # the loopback alone
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_worker_niceness": "0",
        "OMP_NUM_THREADS": "1",
    }


class Nodes:
    """That process. address: of the cluster. names: of its nodes. environment: what joins it needs.

    full: of a node with a full disk, the folder that it does not see and the one with its disk.
    """

    def __init__(self, count: int, folder: Path, full: tuple[Path, ...] = (), **extra: str) -> None:
        self.environment = environment() | extra
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tools.scale.nodes", str(count), str(folder), *map(str, full)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=self.environment,
        )
        assert self._process.stdout is not None
        self.address = self._process.stdout.readline().strip()
        self.names: list[str] = json.loads(self._process.stdout.readline())

    def tell(self, words: str) -> None:
        """Kill, stop or drain a node; returns when it is done."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{words}\n")
        self._process.stdin.flush()
        self._process.stdout.readline()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.communicate("", timeout=60)
        self._process.kill()
        self._process.wait()


def _processes(node: Any) -> Iterator[psutil.Process]:
    """The processes of a node: those that Ray has started for it, and the workers of these."""
    for group in node.all_processes.values():
        for started in group:
            with contextlib.suppress(psutil.NoSuchProcess):
                parent = psutil.Process(started.process.pid)
                yield from parent.children(recursive=True)
                yield parent


def _see_other_disks(hidden: str, small: str) -> None:
    """Mount two disks that only what is started from now on sees."""
    found = ctypes.CDLL(None, use_errno=True).unshare(_NEW_MOUNTS)
    assert found == 0, os.strerror(ctypes.get_errno())
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "none", hidden], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "none", small], check=True)
    os.environ["TMPDIR"] = small


def _drain(address: str, node: str) -> None:
    """As a cloud does that takes a machine back in a minute."""
    client = importlib.import_module("ray._raylet").GcsClient(address=address)
    accepted, why = client.drain_node(node, _PREEMPTION, "it is taken back", int((time.time() + 60) * 1000))
    assert accepted, why


def main() -> None:
    """Start the nodes, say where they are, and do as told until stdin ends."""
    module: Any = importlib.import_module("ray.cluster_utils")
    import livefilter.quiet  # noqa: F401 - before Ray

    count, folder = int(sys.argv[1]), sys.argv[2]
    head = {"num_cpus": 0, "include_dashboard": False, "temp_dir": folder}
    cluster = module.Cluster(initialize_head=True, head_node_args=head)
    nodes = [cluster.add_node(num_cpus=1) for _ in range(count)]
    if sys.argv[3:]:
        _see_other_disks(*sys.argv[3:5])
        nodes.append(cluster.add_node(num_cpus=1))
    names = [f"{platform.node()}/{node.node_id[:4]}" for node in nodes]
    sys.stdout.write(f"{cluster.address}\n{json.dumps(names)}\n")
    sys.stdout.flush()
    for line in sys.stdin:
        words, number = line.split()
        if words == "drain":
            _drain(cluster.address, nodes[int(number)].node_id)
        for process in list(_processes(nodes[int(number)])) if words != "drain" else ():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL if words == "kill" else signal.SIGSTOP)
        sys.stdout.write("done\n")
        sys.stdout.flush()
    for node in nodes:
        for process in list(_processes(node)):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGCONT)
    cluster.shutdown()


if __name__ == "__main__":
    main()
