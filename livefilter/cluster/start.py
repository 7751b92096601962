"""Ray, started on this machine or joined where it runs; always with a token."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

import livefilter.quiet  # noqa: F401 - before Ray, which would report its use
from livefilter.cluster.addresses import host_of, refuse_public
from livefilter.errors import ClusterUnavailable, install_extra

_OLDEST = (2, 52)
_STORE_BYTES = 256 << 20
_PROBE_S = 60.0
_NICENESS = "RAY_worker_niceness"
# The head of Ray asks the metadata services of clouds, by name, even where its reports of use are switched off.
# It does so through the proxy of the environment, and nobody listens on the port of this one.
_NOBODY = "http://127.0.0.1:9"
_PROXIES = {"http_proxy": _NOBODY, "HTTP_PROXY": _NOBODY, "no_proxy": "127.0.0.1,localhost", "NO_PROXY": "127.0.0.1"}
_WATCHERS = ("monitor.py", "dashboard.py")
_TOKEN_FILE = Path(".ray") / "auth_token"

# Asks a cluster for something without a token, and prints how it was answered.
_PROBE = """
import sys
import ray
from ray._raylet import GcsClient
try:
    GcsClient(address=sys.argv[1]).internal_kv_keys(b"", b"cluster", timeout=10)
except ray.exceptions.AuthenticationError:
    print("refused")
else:
    print("let in")
"""


@dataclass
class Session:
    """A connection to Ray. where: what it is, in words. dashboard: its address, empty where there is none.

    folder: of a cluster that was started here, and ends with this.
    """

    ray: Any
    where: str
    dashboard: str
    folder: Path | None = None

    def close(self) -> None:
        """Leave the cluster; end it where it was started here. Can be called twice."""
        if self.folder is not None:
            _end_watchers(self.folder)
        with contextlib.suppress(Exception):
            self.ray.shutdown()
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


def _end_watchers(folder: Path) -> None:
    """End what only watches a cluster of this machine: Ray waits a second for each that does not end at once."""
    for process in psutil.Process().children():
        with contextlib.suppress(psutil.Error):
            told = " ".join(process.cmdline())
            if str(folder) in told and any(name in told for name in _WATCHERS):
                process.kill()


def why_no_ray() -> str | None:
    """Why this machine cannot take part, with the fix; None where it can."""
    if not sys.platform.startswith("linux"):
        return "A cluster has been tried on Linux alone. Leave out --cluster here."
    if importlib.util.find_spec("ray") is None:
        return f"A cluster needs Ray, which is not installed. Get it: {install_extra('cluster')}"
    found = ray_version()
    if tuple(int(part) for part in found.split(".")[:2]) < _OLDEST:
        return (
            f"Ray {found} is too old: only since 2.52 it can keep strangers out. Update it: {install_extra('cluster')}"
        )
    return None


def require_ray() -> None:
    """Raises: ClusterUnavailable: this machine cannot take part."""
    missing = why_no_ray()
    if missing:
        raise ClusterUnavailable(missing)


def ray_version() -> str:
    """The version of Ray that is installed here."""
    return metadata.version("ray")


def starts_here(words: str) -> bool:
    """Whether these words mean this machine alone, on which Ray has yet to be started."""
    return words == "local" or (words == "auto" and not _running())


def this_machine(cores: int) -> str:
    """A cluster of this machine alone, in words."""
    return f"this machine ({cores} core{'s' * (cores != 1)})"


def start(words: str, *, cores: int, trusted: bool) -> Session:
    """Start Ray here (`local`), join what runs (`auto`, else `local`), or join the cluster at an address.

    cores: those that a cluster on this machine may hand out. trusted: public addresses are taken.
    Raises: ClusterUnavailable.
    """
    require_ray()
    if starts_here(words):
        return _start_here(cores)
    address = _running() if words == "auto" else words
    refuse_public([host_of(address)], trusted=trusted)
    return _join(address, trusted)


def _running() -> str:
    """The address of the cluster that this machine belongs to; empty where there is none."""
    named = os.environ.get("RAY_ADDRESS", "")
    if named and named != "local":
        return named
    with contextlib.suppress(OSError):
        return (Path(tempfile.gettempdir()) / "ray" / "ray_current_cluster").read_text().strip()
    return ""


def _start_here(cores: int) -> Session:
    """A cluster of this machine alone, which nothing outside of it can reach."""
    # Read when Ray is imported: without it Ray listens on all networks, with it on the loopback alone.
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    os.environ["RAY_AUTH_MODE"] = "token"
    os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
    os.environ[_NICENESS] = "0"  # by default Ray's workers wait for every other program
    os.environ.pop("RAY_ADDRESS", None)
    ray = _import()
    folder = Path(tempfile.mkdtemp(prefix="lf-"))  # short: the names of sockets in it have a limit
    session = Session(ray, this_machine(cores), "", folder)
    before = {name: os.environ.get(name) for name in _PROXIES}
    os.environ.update(_PROXIES)
    try:
        context = ray.init(
            address="local",
            num_cpus=cores,
            include_dashboard=_has_dashboard() or False,
            object_store_memory=_STORE_BYTES,
            logging_level="error",
            log_to_driver=False,
            _temp_dir=str(folder),
        )
    except Exception as error:
        session.close()
        raise ClusterUnavailable(f"Ray does not start here: {_line(error)}. Leave out --cluster.") from error
    finally:
        for name, text in before.items():
            if text is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = text
    session.dashboard = _web(context)
    return session


def _join(address: str, trusted: bool) -> Session:
    os.environ["RAY_AUTH_MODE"] = "token"
    if not _has_token():
        raise ClusterUnavailable(
            f"There is no token for the cluster at {address}, and without one anybody could use it. On its first "
            f"machine: `ray get-auth-token --generate`; copy ~/{_TOKEN_FILE} to every machine, this one too, and start "
            "Ray on each with RAY_AUTH_MODE=token."
        )
    ray = _import()
    try:
        context = ray.init(address=address, logging_level="error", log_to_driver=False)
    except Exception as error:
        with contextlib.suppress(Exception):
            ray.shutdown()
        hint = "Is it running, with the same versions of Python and Ray, and is the token that of the cluster?"
        raise ClusterUnavailable(f"Cannot join the cluster at {address}: {_line(error)}. {hint}") from error
    session = Session(ray, f"the cluster at {address}", _web(context))
    try:
        _check_token_asked(ray, address)
        refuse_public({node["NodeManagerAddress"] for node in ray.nodes() if node["Alive"]}, trusted=trusted)
    except BaseException:
        session.close()
        raise
    return session


def _check_token_asked(ray: Any, address: str) -> None:
    """Refuse a cluster that lets in whoever comes: it runs code that is sent to it.

    Raises: ClusterUnavailable.
    """
    gcs = ray.get_runtime_context().gcs_address
    environment = {name: text for name, text in os.environ.items() if not name.startswith("RAY_AUTH")}
    environment |= {"RAY_AUTH_MODE": "disabled"}
    try:
        done = subprocess.run(
            [sys.executable, "-c", _PROBE, gcs], env=environment, capture_output=True, text=True, timeout=_PROBE_S
        )
        answer = done.stdout.strip()
    except subprocess.TimeoutExpired:
        answer = "no answer"
    if answer == "refused":
        return
    if answer == "let in":
        raise ClusterUnavailable(
            f"The cluster at {address} asks for no token, so anybody in its network can run code on it. "
            "Start Ray on all of its machines with RAY_AUTH_MODE=token."
        )
    raise ClusterUnavailable(f"Whether the cluster at {address} asks for a token cannot be found out. Try again.")


def _has_token() -> bool:
    if os.environ.get("RAY_AUTH_TOKEN"):
        return True
    path = os.environ.get("RAY_AUTH_TOKEN_PATH")
    try:
        return (Path(path) if path else Path.home() / _TOKEN_FILE).stat().st_size > 0
    except (OSError, RuntimeError):
        return False


def _import() -> Any:
    import ray

    return ray


def _has_dashboard() -> bool:
    """Whether the packages of Ray's own page are there (`ray[default]`)."""
    return all(importlib.util.find_spec(name) for name in ("aiohttp_cors", "opencensus", "prometheus_client"))


def _web(context: Any) -> str:
    url = getattr(context, "dashboard_url", "") or ""
    return f"http://{url}" if url and not url.startswith("http") else url


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300].rstrip(". ") or type(error).__name__
