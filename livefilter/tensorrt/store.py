"""The folder of built engines.

A plan is native code. It is loaded only when this user alone could have written it, and when its sidecar names its
SHA-256 and exactly the key that is asked for. Anything else is built anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from livefilter.errors import BuildFailed, EngineMismatch
from livefilter.tensorrt.key import EngineKey
from livefilter.tensorrt.owned_file import read_owned, write_owned
from livefilter.tensorrt.sidecar import Sidecar
from livefilter.user_folders import cache_folder
from livefilter.whole_file import PARTIAL

PLAN, SIDECAR, LOCK, TIMING = ".plan", ".json", ".lock", ".timing"
KERNELS = ".kernels"  # beside a plan: what TensorRT-RTX compiled of it on this GPU
ENVIRONMENT = "LIVEFILTER_ENGINES"


@dataclass(frozen=True, slots=True)
class StoredEngine:
    """An engine of the store, or what is left of one.

    plan_path: its native code. sidecar: what is known of it. fault: why it is never loaded; None when it can be.
    """

    plan_path: Path
    sidecar: Sidecar | None
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class BuiltPlan:
    """What a build gives to the store: the plan, and a sidecar whose key, SHA-256 and size fit it."""

    plan: bytes
    sidecar: Sidecar


def engines_folder(named: Path | None = None) -> Path:
    """Where engines are kept: `named`, or LIVEFILTER_ENGINES, or `engines/` of the checkout, or the user's cache."""
    if named is not None:
        return named
    if os.environ.get(ENVIRONMENT):
        return Path(os.environ[ENVIRONMENT])
    checkout = Path(__file__).resolve().parents[2]
    if (checkout / "build_engine.py").is_file() and (checkout / "engines").is_dir():
        return checkout / "engines"
    return cache_folder() / "engines"


class EngineStore:
    """The engines in one folder, which is made when the first is built."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def engines(self) -> list[StoredEngine]:
        """Everything that is or was an engine, with its faults; plans are read and compared with their SHA-256."""
        stems = {path.with_suffix("") for path in self._files(PLAN)} | {
            path.with_suffix("") for path in self._sidecars()
        }
        return [self._examine(stem.with_name(stem.name + PLAN)) for stem in sorted(stems)]

    def load(self, key: EngineKey) -> tuple[bytes, StoredEngine]:
        """The plan built for exactly this key.

        Raises: EngineMismatch: there is none, or it must not be loaded; says why and how to build it.
        """
        fault: EngineMismatch | None = None
        for path in self._plans_of(key):
            try:
                return self._read(path, key)
            except EngineMismatch as error:
                fault = fault or error
        raise EngineMismatch(
            f"No {key.flavour} {key.precision} engine for {key.size} can be loaded from {self.folder}, because "
            f"{fault or 'none has been built'}.",
            fix="Build it: livefilter build",
        ) from fault

    def obtain(
        self,
        key: EngineKey,
        style: str,
        build: Callable[[], BuiltPlan],
        say: Callable[[str], None],
        cancelled: Callable[[], bool] = lambda: False,
        anew: bool = False,
    ) -> tuple[StoredEngine, bool]:
        """The engine for this key, and whether it was built for it; of several processes one builds, the others wait.

        say: told in one sentence when another process is waited for, and why an engine that is there is built again.
        anew: build even when there is a good one.
        Raises: BuildFailed; BuildCancelled; whatever `build` raises.
        """
        from livefilter.tensorrt.lock import engine_lock

        self._make_folder()
        with engine_lock(self.folder / f"{key.digest}{LOCK}", say, cancelled) as waited:
            for path in self._plans_of(key):
                try:
                    _, found = self._read(path, key)
                except EngineMismatch as error:
                    say(f"{path.name} is built again, because {error}.")
                else:
                    if waited or not anew:
                        return found, False
            for line in self._stale(key, style):
                say(line)
            built = build()
            for path in self._plans_of(key):
                self._remove(path)
            for path in self.folder.glob(f"*-{key.digest}{PARTIAL}*"):
                path.unlink(missing_ok=True)  # of a build that was killed: this one holds the lock
            return self._keep(key, style, built), True

    def _keep(self, key: EngineKey, style: str, built: BuiltPlan) -> StoredEngine:
        name = f"{_plain(style)}-{_plain(key.size)}-{key.flavour}-{key.precision}-{key.digest}"
        path = self.folder / (name + PLAN)
        # The sidecar comes last: a plan without one is never loaded, so a killed build leaves nothing that counts.
        write_owned(path, built.plan)
        try:
            write_owned(path.with_suffix(SIDECAR), built.sidecar.to_json())
        except BuildFailed:
            path.unlink(missing_ok=True)
            raise
        return StoredEngine(path, built.sidecar)

    def _read(self, path: Path, key: EngineKey | None = None) -> tuple[bytes, StoredEngine]:
        sidecar = Sidecar.from_json(read_owned(path.with_suffix(SIDECAR)))
        if key is not None and sidecar.key != key:
            raise EngineMismatch(f"it was built for something else ({'; '.join(sidecar.key.differences(key))})")
        plan = read_owned(path)
        if len(plan) < sidecar.plan_bytes:
            raise EngineMismatch(f"it is cut off after {len(plan)} of {sidecar.plan_bytes} bytes")
        if hashlib.sha256(plan).hexdigest() != sidecar.plan_sha256:
            raise EngineMismatch("it was changed after it was built (its SHA-256 is not the sidecar's)")
        return plan, StoredEngine(path, sidecar)

    def _examine(self, path: Path) -> StoredEngine:
        try:
            return self._read(path)[1]
        except EngineMismatch as error:
            sidecar = None
            with contextlib.suppress(EngineMismatch):
                sidecar = Sidecar.from_json(read_owned(path.with_suffix(SIDECAR)))
            return StoredEngine(path, sidecar, str(error))

    def _stale(self, key: EngineKey, style: str) -> Iterator[str]:
        for path in self._sidecars():
            with contextlib.suppress(EngineMismatch):
                other = Sidecar.from_json(read_owned(path))
                if other.style == style and other.key != key and other.key.serves_as(key):
                    changed = "; ".join(other.key.differences(key))
                    yield f"{path.stem}{PLAN} is stale and is not used ({changed}). Remove it: livefilter engines prune"

    def remove(self, engine: StoredEngine) -> None:
        """Delete an engine and its sidecar.

        Raises: BuildFailed: the system does not allow it.
        """
        self._remove(engine.plan_path)

    def litter(self) -> list[Path]:
        """What killed builds have left; a file of a build that still runs is not among them."""
        from livefilter.tensorrt.lock import is_free

        found = []
        for path in self._files(""):
            digest = re.search(rf"-([0-9a-f]{{16}}){PARTIAL}[0-9a-f]+\.[a-z]+$", path.name)
            if digest and is_free(self.folder / f"{digest[1]}{LOCK}"):
                found.append(path)
        return found

    def _remove(self, path: Path) -> None:
        try:
            # The sidecar goes first: without it the plan is not loaded, should this be cut off in between.
            path.with_suffix(SIDECAR).unlink(missing_ok=True)
            path.unlink(missing_ok=True)
            path.with_suffix(KERNELS).unlink(missing_ok=True)
        except OSError as error:
            raise BuildFailed(f"{path} cannot be removed: {error.strerror}. Close what uses it.") from error

    def _plans_of(self, key: EngineKey) -> list[Path]:
        return [path for path in self._files(PLAN) if path.stem.endswith(f"-{key.digest}")]

    def _sidecars(self) -> list[Path]:
        return [path for path in self._files(SIDECAR) if re.search(r"-[0-9a-f]{16}$", path.stem)]

    def _files(self, suffix: str) -> list[Path]:
        return sorted(self.folder.glob(f"*{suffix}")) if self.folder.is_dir() else []

    def _make_folder(self) -> None:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise BuildFailed(
                f"The engine folder {self.folder} cannot be made: {error.strerror}. Choose another with --engines."
            ) from error


def _plain(text: str) -> str:
    """A name as part of a file name."""
    return re.sub(r"[^A-Za-z0-9_]+", "_", text)[:80] or "style"
