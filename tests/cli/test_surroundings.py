"""The program where something is missing around it: a home, permissions, whoever reads its output."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import av
import cv2
import pytest

from livefilter import user_folders
from livefilter.errors import ConfigError
from tests.conftest import picture

WAIT_S = 200
SMALL = ("--width", "64", "--height", "48", "--process-size", "64", "--backend", "identity")


def command(*arguments: str) -> list[str]:
    """The program's command line."""
    return [sys.executable, "-m", "livefilter", *arguments]


def environment(tmp_path: Path) -> dict[str, str]:
    """Without a home, a display and the user's own settings; temporary files go below `tmp_path`."""
    folder = tmp_path / "temporary"
    folder.mkdir(exist_ok=True)
    folder.chmod(0o777)
    dropped = ("HOME", "XDG_", "DISPLAY", "WAYLAND_DISPLAY", "LIVEFILTER_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    return {**kept, "TMPDIR": str(folder), "PYTHONUNBUFFERED": "1", "COLUMNS": "200"}


def as_nobody() -> list[str]:
    """What runs a command as a user whom the system does not know, with the rights of this one."""
    prefix = ["unshare", "--user", "--map-user=12345"]
    if (
        shutil.which("unshare") is None
        or subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode
    ):
        pytest.skip("needs unshare and user namespaces")
    return prefix


def without_privilege() -> list[str]:
    """What runs a command so that permissions hold for it, which they do not for root."""
    if os.name != "posix":
        pytest.skip("permissions are other ones here")
    if os.geteuid():
        return []
    prefix = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    if (
        shutil.which("setpriv") is None
        or subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode
    ):
        pytest.skip("root may read everything, and there is no setpriv to change that")
    return prefix


def done(prefix: list[str], tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The program, run to its end."""
    return subprocess.run(
        [*prefix, *command(*arguments)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment(tmp_path),
        timeout=WAIT_S,
        check=False,
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "-i", "demo", "-o", "null", *SMALL, "--frames", "3"),
        ("run", "-i", "demo", "-o", "page", *SMALL, "--frames", "3"),
        ("render", "in.png", "out.png", "--backend", "identity"),
        ("styles",),
    ],
    ids=lambda arguments: "-".join(arguments[:5]),
)
def test_a_user_without_a_home_can_work(arguments: tuple[str, ...], tmp_path: Path) -> None:
    """As in containers that run as any number; a folder that is this user's alone stands in for the home."""
    prefix = as_nobody()
    cv2.imwrite(str(tmp_path / "in.png"), picture())
    ended = done(prefix, tmp_path, *arguments)
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr
    made = tmp_path / "temporary" / "livefilter-12345"
    assert made.stat().st_mode & 0o777 == 0o700


def test_a_folder_of_somebody_else_is_no_stand_in_for_a_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever makes that folder first would else choose what is run here."""
    if os.name != "posix":
        pytest.skip("there is always a home here")

    def none(*_: object, **__: object) -> str:
        raise RuntimeError("could not determine the home directory")

    monkeypatch.setattr("platformdirs.user_config_dir", none)
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    stand_in = tmp_path / f"livefilter-{os.getuid()}"
    assert user_folders.config_folder() == stand_in / "config"
    stand_in.chmod(0o777)
    with pytest.raises(ConfigError, match=r"no home folder, and others may write into .*Set HOME"):
        user_folders.config_folder()
    stand_in.rmdir()
    stand_in.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError, match="no home folder"):
        user_folders.config_folder()


def test_a_locked_picture_does_not_stop_a_folder(tmp_path: Path) -> None:
    """The rest is rendered, the locked one is named with the reason, and the exit code is 1."""
    prefix = without_privilege()
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a.png", "b.png", "c.png"):
        cv2.imwrite(str(folder / name), picture())
    (folder / "b.png").chmod(0)
    ended = done(prefix, tmp_path, "render", "in", "out", "--backend", "identity")
    assert ended.returncode == 1
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.png", "c.png"]
    assert "b.png" in ended.stderr
    assert "ermission denied" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("render", "closed/a.png", "out.png"),
        ("render", "a.png", "closed/out.png"),
        ("render", "closed", "out"),
        ("render", "locked.png", "out.png"),
        ("render", "locked.mp4", "out.mp4"),
        ("run", "-i", "closed/a.png", "-o", "null"),
        ("run", "-i", "locked.mp4", "-o", "null"),
        ("run", "-i", "demo", "-o", "record:closed/a.mp4"),
        ("run", "--config", "closed/config.toml", "-i", "demo", "-o", "null"),
    ],
    ids=" ".join,
)
def test_what_is_locked_is_told_in_one_line(arguments: tuple[str, ...], tmp_path: Path) -> None:
    """No traceback, for files and for folders, read and written."""
    prefix = without_privilege()
    closed = tmp_path / "closed"
    closed.mkdir()
    for name in ("closed/a.png", "a.png", "locked.png"):
        cv2.imwrite(str(tmp_path / name), picture())
    (tmp_path / "locked.mp4").write_bytes(b"\0\0\0\x18ftypmp42" + bytes(100))
    for name in ("closed", "locked.png", "locked.mp4"):
        (tmp_path / name).chmod(0)
    try:
        ended = done(prefix, tmp_path, *arguments, "--backend", "identity")
    finally:
        closed.chmod(0o700)
    said = ended.stderr.strip().splitlines()
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert said[-1].startswith("Error: ")
    assert "ermission" in said[-1]


@pytest.mark.skipif(sys.platform == "win32", reason="pipes end otherwise there")
def test_a_run_ends_when_nobody_reads_what_it_prints(tmp_path: Path) -> None:
    """`livefilter run | head -1`: it ends as a stopped run does, its recording is whole, and the exit code is 1."""
    arguments = ("run", "-i", "demo", "-o", "record:a.mp4", *SMALL)
    process = subprocess.Popen(
        command(*arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={**environment(tmp_path), "HOME": str(tmp_path)},
    )
    assert process.stdout is not None
    assert process.stderr is not None
    for line in process.stdout:  # what is said before the first frame is recorded would end it with nothing to keep
        if " fps " in line:
            break
    process.stdout.close()
    said = process.stderr.read()
    assert process.wait(WAIT_S) == 1
    assert "Traceback" not in said
    with av.open(str(tmp_path / "a.mp4")) as recorded:
        assert sum(1 for _ in recorded.decode(video=0)) > 0
