"""The store of built engines: what it keeps, what it refuses, and who builds."""

from __future__ import annotations

import dataclasses
import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

import pytest

pytest.importorskip("filelock")

from livefilter.errors import BuildCancelled, BuildFailed, EngineMismatch
from livefilter.tensorrt.store import BuiltPlan, EngineStore, StoredEngine
from tests.tensorrt.engines import KEY, PLAN, built_plan

ROOT = Path(__file__).resolve().parents[2]
posix_only = pytest.mark.skipif(os.name != "posix", reason="file modes and owners are POSIX")


def never() -> NoReturn:
    """A build that must not happen."""
    pytest.fail("built again")


def stored(folder: Path, said: list[str] | None = None) -> StoredEngine:
    """The test engine, built in `folder`."""
    said = [] if said is None else said
    engine, built = EngineStore(folder).obtain(KEY, "test", built_plan, said.append)
    assert built
    return engine


def test_an_engine_is_built_once(tmp_path: Path) -> None:
    """The second request finds the first one's engine, and loads the same bytes."""
    engine = stored(tmp_path)
    again, built = EngineStore(tmp_path).obtain(KEY, "test", never, lambda _: None)
    assert not built
    assert again == engine
    assert EngineStore(tmp_path).load(KEY)[0] == PLAN
    assert EngineStore(tmp_path).engines() == [engine]


def test_an_engine_is_built_again_when_asked(tmp_path: Path) -> None:
    """`anew` builds though there is a good one, and leaves one engine."""
    stored(tmp_path)
    _, built = EngineStore(tmp_path).obtain(KEY, "test", built_plan, lambda _: None, anew=True)
    assert built
    assert len(EngineStore(tmp_path).engines()) == 1


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(KEY)])
def test_every_part_of_the_key_counts(tmp_path: Path, field: str) -> None:
    """With another network, size, precision, flavour, version, GPU, driver or level, it is another engine."""
    stored(tmp_path)
    value = getattr(KEY, field)
    changed: Any = value + 1 if isinstance(value, int) else value + "x"
    other = dataclasses.replace(KEY, **{field: changed})
    assert other.digest != KEY.digest
    with pytest.raises(EngineMismatch, match=r"because none has been built\. Build it: livefilter build"):
        EngineStore(tmp_path).load(other)


def test_a_stale_engine_is_named_and_not_used(tmp_path: Path) -> None:
    """After a driver update the engine is built for the new driver, and the reason is said."""
    stored(tmp_path)
    said: list[str] = []
    key = dataclasses.replace(KEY, driver="590.1")
    _, built = EngineStore(tmp_path).obtain(key, "test", lambda: built_plan(key), said.append)
    assert built
    assert any("stale" in text and "driver none -> 590.1" in text for text in said)


def truncate(engine: StoredEngine) -> None:
    """Cut the plan off."""
    engine.plan_path.write_bytes(PLAN[:100])


def tamper(engine: StoredEngine) -> None:
    """Change one byte."""
    engine.plan_path.write_bytes(b"\xff" + PLAN[1:])


def lose_sidecar(engine: StoredEngine) -> None:
    """Delete the sidecar."""
    engine.plan_path.with_suffix(".json").unlink()


def break_sidecar(engine: StoredEngine) -> None:
    """Cut the sidecar off."""
    engine.plan_path.with_suffix(".json").write_text('{"format": 1, "key"')


def swap_key(engine: StoredEngine) -> None:
    """Make the sidecar of another engine this one's."""
    path = engine.plan_path.with_suffix(".json")
    path.write_text(path.read_text().replace('"gpu": "none"', '"gpu": "another"'))


def open_to_all(engine: StoredEngine) -> None:
    """Let others read and write the plan."""
    engine.plan_path.chmod(0o666)


def link(engine: StoredEngine) -> None:
    """Put a link in place of the plan."""
    elsewhere = engine.plan_path.with_name("elsewhere")
    engine.plan_path.rename(elsewhere)
    engine.plan_path.symlink_to(elsewhere)


DAMAGE = {
    truncate: "cut off after 100 of 16384 bytes",
    tamper: "changed after it was built",
    lose_sidecar: r"\.json is missing",
    break_sidecar: "sidecar is not valid JSON",
    swap_key: "built for something else .*gpu another -> none",
}
POSIX_DAMAGE = {open_to_all: "open to other users .mode 666", link: "cannot be read"}


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        *(pytest.param(damage, reason, id=damage.__name__) for damage, reason in DAMAGE.items()),
        *(pytest.param(d, r, id=d.__name__, marks=posix_only) for d, r in POSIX_DAMAGE.items()),
    ],
)
def test_a_damaged_engine_is_never_loaded_and_is_built_again(tmp_path: Path, damage: object, reason: str) -> None:
    """A plan that was cut off, changed, exchanged or opened to others is refused with the reason, and replaced."""
    assert callable(damage)
    damage(stored(tmp_path))
    store = EngineStore(tmp_path)
    with pytest.raises(EngineMismatch, match=reason):
        store.load(KEY)
    said: list[str] = []
    _, built = store.obtain(KEY, "test", built_plan, said.append)
    assert built
    assert any("is built again, because" in text for text in said)
    assert store.load(KEY)[0] == PLAN


@posix_only
def test_only_the_owner_may_read_what_is_built(tmp_path: Path) -> None:
    """Plan and sidecar have mode 600, and a folder that had to be made has 700, whatever the umask."""
    old = os.umask(0)
    try:
        engine = stored(tmp_path / "made")
    finally:
        os.umask(old)
    modes = {path.suffix: path.stat().st_mode & 0o777 for path in (tmp_path / "made").iterdir()}
    assert modes[".plan"] == modes[".json"] == 0o600
    assert engine.plan_path.parent.stat().st_mode & 0o777 == 0o700


@posix_only
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give a file away")
def test_another_users_plan_is_refused(tmp_path: Path) -> None:
    """A plan that another user wrote is not loaded, though its sidecar fits."""
    os.chown(stored(tmp_path).plan_path, 12345, 12345)
    with pytest.raises(EngineMismatch, match="belongs to another user"):
        EngineStore(tmp_path).load(KEY)


def test_a_failed_build_leaves_nothing(tmp_path: Path) -> None:
    """The error reaches the caller, no engine is there, and the lock is free for the next one."""

    def fail() -> BuiltPlan:
        raise BuildFailed("no tactic")

    with pytest.raises(BuildFailed, match="no tactic"):
        EngineStore(tmp_path).obtain(KEY, "test", fail, lambda _: None)
    assert {path.suffix for path in tmp_path.iterdir()} <= {".lock"}
    stored(tmp_path)


@pytest.mark.parametrize("file", [".plan", ".json"])
def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str) -> None:
    """When the plan or the sidecar cannot be written whole, neither is there, and the error says what to do."""
    number = {".plan": 1, ".json": 2}[file]
    calls: list[int] = []
    sync = os.fsync

    def full(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == number:
            raise OSError(errno.ENOSPC, "No space left on device")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BuildFailed, match=rf"{file} cannot be written: No space left on device\. Free some space"):
        EngineStore(tmp_path).obtain(KEY, "test", built_plan, lambda _: None)
    assert {path.suffix for path in tmp_path.iterdir()} <= {".lock"}


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    """One line names the folder and the option."""
    (tmp_path / "file").write_text("")
    with pytest.raises(BuildFailed, match=r"engine folder .*file.engines cannot be made: .*--engines"):
        EngineStore(tmp_path / "file" / "engines").obtain(KEY, "test", built_plan, lambda _: None)


def start(folder: Path, log: Path, *more: Path) -> subprocess.Popen[str]:
    """Another process that wants the same engine."""
    command = [sys.executable, "-u", "-m", "tests.tensorrt.engine_process", str(folder), str(log), *map(str, more)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def line(process: subprocess.Popen[str]) -> str:
    """The next line that a process says."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_of_two_processes_one_builds_and_the_other_waits(tmp_path: Path) -> None:
    """The second says that it waits, and uses what the first has built."""
    log, go = tmp_path / "log", tmp_path / "go"
    with start(tmp_path / "engines", log, go) as first:
        assert line(first) == "building"
        with start(tmp_path / "engines", log, go) as second:
            assert line(second) == "Another process is building this engine; waiting for it."
            go.touch()
            assert line(first) == "built"
            assert line(second) == "reused"
            assert second.wait(100) == 0
        assert first.wait(100) == 0
    assert log.read_text().splitlines() == ["build"]


def test_a_killed_build_is_made_good(tmp_path: Path) -> None:
    """When the builder is killed, its lock is free and its leftovers are found by prune and by the next build."""
    log = tmp_path / "log"
    folder = tmp_path / "engines"
    store = EngineStore(folder)
    with start(folder, log, tmp_path / "never") as first:
        assert line(first) == "building"
        partial = folder / f"test-64x48-rtx-fp16-{KEY.digest}.partial-0123456789abcdef.plan"
        partial.write_bytes(PLAN[:10])
        assert store.litter() == [], "a running build's file was taken for litter"
        first.kill()
        first.wait(100)
    assert store.litter() == [partial]
    _, built = store.obtain(KEY, "test", built_plan, lambda _: None)
    assert built
    assert store.load(KEY)[0] == PLAN
    assert store.litter() == []


def test_waiting_can_be_cancelled(tmp_path: Path) -> None:
    """Ctrl-C is heard while another process builds."""
    with start(tmp_path / "engines", tmp_path / "log", tmp_path / "never") as other:
        assert line(other) == "building"
        with pytest.raises(BuildCancelled, match="waited for another process"):
            EngineStore(tmp_path / "engines").obtain(KEY, "test", never, lambda _: None, cancelled=lambda: True)
        other.kill()
        other.wait(100)
