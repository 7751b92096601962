"""What works here, what is missing, and how to get it."""

from __future__ import annotations

import builtins
import json
import shutil
import socket
import subprocess
import sys
from collections import namedtuple
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner

from livefilter import doctor
from livefilter.cli import doctor as command
from livefilter.doctor import _styling_check, can_run, run_checks
from livefilter.errors import StyleCorrupt
from livefilter.finding import Check, commands_in
from livefilter.inference import hardware, selection
from livefilter.inference.selection import PREFERENCE
from livefilter.output import page
from livefilter.output.camera import driver_hints
from livefilter.output.camera.virtual_camera import VirtualCameraSink
from livefilter.styles.network import Network


def one(name: str, checks: list[Check]) -> Check:
    """The check of that name."""
    return next(check for check in checks if check.name == name)


def run(*arguments: str) -> Any:
    """Run the command as the program does: what it returns is the exit code."""
    return CliRunner().invoke(command.doctor, list(arguments), standalone_mode=False)


def test_this_machine_can_run_the_main_job() -> None:
    """Every check completes; the tests' own machine styles frames and opens the page, or the other tests could not."""
    checks = run_checks()
    names = [check.name for check in checks]
    assert len(set(names)) == len(names)
    assert {check.status for check in checks} <= {"ok", "absent", "warn"}
    assert not [check for check in checks if "could not be checked" in check.detail]
    assert "fps with" in one("Styling", checks).detail
    assert "http://127.0.0.1:" in one("Live page", checks).detail
    assert can_run(checks)


def test_a_check_that_breaks_is_a_finding() -> None:
    """The rest of the report still comes."""

    def _broken_thing() -> Iterator[Check]:
        raise OSError("no luck")
        yield

    checks = run_checks([_broken_thing, doctor._python])
    assert checks[0] == Check("broken thing", "warn", "could not be checked: OSError: no luck")
    assert checks[1].name == "Python"


@pytest.mark.parametrize(("status", "ready"), [("ok", True), ("absent", True), ("warn", True), ("fail", False)])
def test_only_a_failure_keeps_the_main_job_from_running(status: Any, ready: bool) -> None:
    """A missing camera or driver is a warning: the demo scene and the live page work without."""
    assert can_run([Check("Python", "ok", ""), Check("it", status, "")]) is ready


def test_the_doctor_needs_no_library_to_start() -> None:
    """It can be imported where OpenCV and the runtimes cannot."""
    code = (
        "import sys, livefilter.doctor; sys.exit(any(n in sys.modules for n in ('cv2', 'onnxruntime', 'av', 'numpy')))"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=200).returncode == 0


def test_a_virtual_camera_that_others_do_not_find_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver is there, but loaded so that nobody lists it under our name: what is wrong, and where the fix is."""
    monkeypatch.setattr(VirtualCameraSink, "unavailable", classmethod(lambda cls: None))
    monkeypatch.setattr(driver_hints, "loaded_wrongly", lambda: "Others list it as 'Dummy'.")
    (check,) = run_checks([doctor._virtual_camera])
    assert (check.status, check.detail) == ("warn", "Others list it as 'Dummy'")
    assert "--fix-hint" in check.fix
    monkeypatch.setattr(driver_hints, "loaded_wrongly", lambda: None)
    (check,) = run_checks([doctor._virtual_camera])
    assert check.status == "ok"


def test_opencv_without_its_system_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    """The classic of slim Linux systems is told with the command that helps."""
    real = builtins.__import__

    def refuse(name: str, *rest: Any) -> Any:
        if name == "cv2":
            raise ImportError("libGL.so.1: cannot open shared object file: No such file or directory")
        return real(name, *rest)

    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(builtins, "__import__", refuse)
    (check,) = list(doctor._opencv())
    assert check.status == "fail"
    assert "libGL.so.1" in check.detail
    assert check.commands == ("sudo apt install -y libgl1 libglib2.0-0 libxcb1",)


def test_a_style_that_cannot_run_keeps_the_main_job_from_running(monkeypatch: pytest.MonkeyPatch) -> None:
    """A damaged network is a failure with its fix."""

    def refuse(self: Network) -> None:
        raise StyleCorrupt("Network file x is not the one its card names. Reinstall the style.")

    monkeypatch.setattr(Network, "verify", refuse)
    assert list(doctor._style()) == [
        Check("Styling", "fail", "Network file x is not the one its card names", "Reinstall the style.")
    ]


def backends(monkeypatch: pytest.MonkeyPatch, gpu: bool, *present: str) -> dict[str, Check]:
    """The checks of the backends on a pretended machine."""
    found = hardware.Gpu("NVIDIA Test Card", "8.9", "580.1", "13.0") if gpu else "this machine has no NVIDIA driver"
    monkeypatch.setattr(hardware, "find_gpu", lambda index=0: found)
    monkeypatch.setattr(
        selection, "why_unavailable", lambda name: None if name in present else f"{name} is away. Get it: pip install x"
    )
    return {check.name.removeprefix("Backend "): check for check in doctor._backends()}


def test_backends_of_hardware_that_is_not_there_are_no_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine without a GPU, the GPU's backends are one line without advice; OpenVINO is worth installing."""
    checks = backends(monkeypatch, False, "onnxruntime")
    assert {name: check.status for name, check in checks.items()} == {
        "openvino": "warn",
        "onnxruntime": "ok",
        "Other backends": "absent",
    }
    away = [name for name in PREFERENCE if name not in checks]
    assert checks["Other backends"].detail == f"{', '.join(away)}: is away"
    assert checks["Other backends"].commands == ()
    assert checks["openvino"].commands == ("pip install x",)


def test_a_gpu_that_is_not_used_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a GPU and no backend for it, the command is given."""
    checks = backends(monkeypatch, True, "onnxruntime", "openvino")
    assert (checks["onnxruntime-cuda"].status, checks["onnxruntime-cuda"].commands) == ("warn", ("pip install x",))


def test_without_any_runtime_nothing_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """ONNX Runtime is the one that must be there."""
    assert not can_run(backends(monkeypatch, False).values())


def test_a_page_that_is_not_where_it_usually_is_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its port taken the page is elsewhere, and the row says why."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        monkeypatch.setattr(page, "DEFAULT_PORT", taken)
        (check,) = list(doctor._page())
    assert check.status == "ok"
    assert f"Port {taken} is taken" in check.detail


def test_a_full_disk_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Too little room for recordings is a warning."""
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10, 10, 1_000_000))
    (check,) = list(doctor._disk())
    assert check.status == "warn"
    assert check.detail.startswith("0.0 GB free")


def test_broken_settings_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bad value in the user's settings keeps every run from starting."""
    monkeypatch.setenv("LIVEFILTER_STRENGTH", "7")
    (check,) = list(doctor._settings())
    assert check.status == "fail"
    assert "strength" in check.detail


@pytest.mark.parametrize(
    ("text", "commands"),
    [
        ('Install it: pip install "livefilter[openvino]"', ('pip install "livefilter[openvino]"',)),
        ('Install it: "/a b/python" -m pip install "l[x]"', ('"/a b/python" -m pip install "l[x]"',)),
        ('Training needs torch: /v/bin/python3 -m pip install "l[x]"', ('/v/bin/python3 -m pip install "l[x]"',)),
        ("Install it with: sudo apt install a && sudo modprobe b c=1", ("sudo apt install a && sudo modprobe b c=1",)),
        (
            "Install it with: brew install --cask obs, then open it once, and allow its extension.",
            ("brew install --cask obs",),
        ),
        ("Install OBS with: winget install OBSProject.OBSStudio", ("winget install OBSProject.OBSStudio",)),
        ("Install what it needs (pip install a.b) or use --backend onnxruntime.", ("pip install a.b",)),
        ("Use --backend auto.", ()),
        (
            "With: sudo apt install h-$(uname -r) && sudo modprobe v label=x",
            ("sudo apt install h-$(uname -r) && sudo modprobe v label=x",),
        ),
        (
            "Install it: sudo dnf install $(rpm -E %fedora).noarch.rpm",
            ("sudo dnf install $(rpm -E %fedora).noarch.rpm",),
        ),
    ],
)
def test_commands_are_found_in_messages(text: str, commands: tuple[str, ...]) -> None:
    """What can be typed is cut out of the sentence around it."""
    assert commands_in(text) == commands


FINDINGS = [
    Check("OpenCV", "ok", "5.0"),
    Check("Virtual camera", "warn", "no [driver]", "Install it: sudo x", ("sudo x",)),
    Check("Other camera", "warn", "no driver", "Install it: sudo x", ("sudo x",)),
]


def test_the_report_is_readable_and_exits_with_0(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each finding is shown with its fix; warnings leave the exit code at 0."""
    monkeypatch.setattr(command, "run_checks", lambda: FINDINGS)
    result = run()
    assert result.return_value == 0
    assert "no [driver]" in result.output
    assert "Install it: sudo x" in result.output
    assert "Ready." in result.output


def test_a_pipe_gets_whole_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long command can be copied from a log: it is not broken at 80 columns, nor filled up with spaces."""
    long = "Install it: sudo apt install " + "package " * 40 + "end"
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr(command, "run_checks", lambda: [*FINDINGS, Check("Third", "warn", "gone", long)])
    lines = run().output.splitlines()
    assert [line.strip() for line in lines if "Install it: sudo apt" in line] == [long]
    assert all(line == line.rstrip() for line in lines)


def test_a_failure_exits_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    """The exit code says that the main job cannot run."""
    monkeypatch.setattr(command, "run_checks", lambda: [Check("OpenCV", "fail", "gone")])
    result = run()
    assert result.return_value == 1
    assert "Not ready." in result.output


def test_json_is_for_scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every finding is there with the answer to the main question."""
    monkeypatch.setattr(command, "run_checks", lambda: FINDINGS)
    data = json.loads(run("--json").output)
    assert data["can_run"] is True
    assert data["checks"][1]["commands"] == ["sudo x"]


def test_fix_hint_prints_commands_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each command once, nothing else, so that the output can be read and then run."""
    monkeypatch.setattr(command, "run_checks", lambda: FINDINGS)
    assert run("--fix-hint").output == "sudo x\n"


@pytest.mark.parametrize(
    ("frames_s", "status", "detail"),
    [
        ([0.02] * 20, "ok", "hayao: 50 fps on a CPU"),
        ([0.1] * 20, "warn", "hayao: 10 fps on a CPU"),
        ([0.02] * 16 + [0.5] * 4, "warn", "hayao: 50 fps on a CPU, but 9 just now, beside other programs"),
    ],
)
def test_a_busy_machine_is_not_taken_for_a_slow_one(frames_s: list[float], status: str, detail: str) -> None:
    """Where some frames wait for other programs, closing those helps, and not a smaller size."""
    check = _styling_check("hayao", "on a CPU", frames_s)
    assert (check.status, check.detail) == (status, detail)
    assert ("keeps this machine busy" in check.fix) == ("beside other programs" in detail)
