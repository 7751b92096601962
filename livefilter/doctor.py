"""What works on this machine, what is missing, and how to get it.

Nothing is imported before its own check, so that one broken library is a line of the report and not its end.
"""

from __future__ import annotations

import logging
import os
import platform
import shutil
import statistics
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from livefilter.errors import LivefilterError
from livefilter.finding import Check, Status, advice

_log = logging.getLogger(__name__)

_LIBGL = "sudo apt install -y libgl1 libglib2.0-0 libxcb1"
_LOW_DISK_GB = 2.0
_LIVE_FPS = 20.0
_PROBE_SIZE = (640, 360)
_PROBE_FRAMES = 20


def run_checks(checks: Iterable[Callable[[], Iterable[Check]]] | None = None) -> list[Check]:
    """Make every check in turn; one that breaks is itself a finding. Takes a few seconds."""
    found: list[Check] = []
    for check in ALL if checks is None else checks:
        try:
            found.extend(check())
        except Exception as error:  # a doctor that dies helps nobody
            _log.debug("check %s broke", check, exc_info=True)
            name = getattr(check, "__name__", "check").strip("_").replace("_", " ")
            found.append(Check(name, "warn", f"could not be checked: {type(error).__name__}: {error}"))
    return found


def can_run(checks: Iterable[Check]) -> bool:
    """Whether the main job can run: demo scene or camera in, styled frames out on the live page."""
    return all(check.status != "fail" for check in checks)


def _python() -> Iterator[Check]:
    version = platform.python_version()
    detail = f"{version}, {platform.machine()}, {platform.platform(terse=True)}"
    if not (3, 10) <= sys.version_info[:2] <= (3, 13):
        yield Check("Python", "warn", detail, "livefilter is tested on Python 3.10 to 3.13; install one of these.")
    elif sys.maxsize < 2**32:
        yield Check("Python", "fail", f"{detail}: a 32-bit Python", "Install the 64-bit one: the runtimes need it.")
    else:
        yield Check("Python", "ok", detail)


def _settings() -> Iterator[Check]:
    from livefilter.config import load_config
    from livefilter.settings_file import default_config_path, profile_tables

    try:
        load_config({})
        for profile in profile_tables():
            load_config({}, profile=profile)
    except LivefilterError as error:
        yield Check("Settings", "fail", str(error), "Correct the setting; `livefilter run --help` lists them.")
        return
    path = default_config_path()
    yield Check("Settings", "ok", str(path) if path.exists() else f"defaults (no {path})")


def _opencv() -> Iterator[Check]:
    try:
        import cv2
    except ImportError as error:
        missing = ".so" in str(error)
        fix = (_LIBGL if sys.platform == "linux" else "") if missing else "pip install --force-reinstall opencv-python"
        yield Check("OpenCV", "fail", f"does not load: {error}", f"Install what it needs: {fix}", (fix,) if fix else ())
    else:
        yield Check("OpenCV", "ok", cv2.__version__)


def _gpu() -> Iterator[Check]:
    from livefilter.inference.hardware import describe_cpu, find_gpu, usable_cores

    yield Check("Processor", "ok", describe_cpu(usable_cores()).replace("thread", "core"))
    gpu = find_gpu()
    if isinstance(gpu, str):
        yield Check("NVIDIA GPU", "absent", gpu)
    else:
        yield Check("NVIDIA GPU", "ok", f"{gpu.name}, driver for CUDA {gpu.cuda}")


def _backends() -> Iterator[Check]:
    from livefilter.inference.hardware import find_gpu
    from livefilter.inference.selection import PREFERENCE, why_unavailable

    with_gpu = not isinstance(find_gpu(), str)
    without: dict[str, Status] = {
        "onnxruntime": "fail",
        "openvino": "absent" if with_gpu else "warn",
        "onnxruntime-cuda": "warn" if with_gpu else "absent",
    }
    absent: dict[str, list[str]] = {}  # reason: names; a row for each would push what matters off the screen
    for name in PREFERENCE:
        reason = why_unavailable(name)
        if reason is None:
            yield Check(f"Backend {name}", "ok", "available")
            continue
        detail, fix, commands = advice(reason)
        status = without.get(name, "absent")
        if status == "absent":  # without advice: to get what this machine has no use for would be noise
            absent.setdefault(detail.removeprefix(f"{name} "), []).append(name)
        else:
            yield Check(f"Backend {name}", status, detail, fix, commands)
    if absent:
        reasons = "; ".join(f"{', '.join(names)}: {cause}" for cause, names in absent.items())
        yield Check("Other backends", "absent", reasons)


def _style() -> Iterator[Check]:
    """Really style frames: the default style, on the backend that `livefilter run` would take."""
    import time

    import numpy as np

    from livefilter.config import load_config
    from livefilter.inference.selection import BUILT_AHEAD, choose_backend, runs_on_gpu
    from livefilter.inference.styler import Styler
    from livefilter.styles.catalogue import Catalogue

    width, height = _PROBE_SIZE
    try:
        config = load_config({})
        backend, _ = choose_backend(config.backend, without=BUILT_AHEAD)
        style, network = Catalogue().choose(config.style, config.network, gpu=runs_on_gpu(backend))
        styler = Styler(network, backend, height)
        try:
            styler.warm_up(width, height)
            image = np.full((height, width, 3), 127, np.uint8)
            moments = [time.perf_counter()]
            for _ in range(_PROBE_FRAMES):
                styler(image)
                moments.append(time.perf_counter())
            info = styler.engine_info
        finally:
            styler.close()
    except LivefilterError as error:
        yield Check("Styling", "fail", *advice(error))
        return
    what = f"{style.name} {network.size} at {width}x{height}"
    on = f"with {info.backend} ({info.precision}) on {info.device}"
    yield _styling_check(what, on, [after - before for before, after in pairwise(moments)])


def _styling_check(what: str, on: str, frames_s: Sequence[float]) -> Check:
    """How fast frames of so many seconds each were styled; the quickest ones tell what the machine can do."""
    usual, quick = len(frames_s) / sum(frames_s), 1 / statistics.median(sorted(frames_s)[: len(frames_s) // 2])
    if usual < quick / 2:
        detail = f"{what}: {quick:.0f} fps {on}, but {usual:.0f} just now, beside other programs"
        return Check("Styling", "warn", detail, "Close what keeps this machine busy, and look again.")
    detail = f"{what}: {usual:.0f} fps {on}"
    if usual < _LIVE_FPS:
        return Check("Styling", "warn", detail, "Live, frames will be skipped; a smaller --process-size is faster.")
    return Check("Styling", "ok", detail)


def _cameras() -> Iterator[Check]:
    from livefilter.capture.listing import list_cameras

    try:
        cameras = [camera for camera in list_cameras() if not camera.virtual]
    except LivefilterError as error:
        yield Check("Cameras", "warn", *advice(error))
        return
    if not cameras:
        yield Check("Cameras", "warn", "none found", "Plug one in; until then `livefilter run` shows its demo scene.")
        return
    yield Check("Cameras", "ok", ", ".join(str(camera) for camera in cameras))
    locked = [camera.path for camera in cameras if camera.path and Path(camera.path).exists()]
    locked = [path for path in locked if not os.access(path, os.R_OK | os.W_OK)]
    if locked and sys.platform == "linux":
        command = 'sudo usermod -aG video "$USER"'
        yield Check(
            "Camera access",
            "warn",
            f"no permission for {', '.join(locked)}",
            f"{command}, then log in again.",
            (command,),
        )


def _virtual_camera() -> Iterator[Check]:
    from livefilter.output.camera.driver_hints import driver_hints, loaded_wrongly

    check = _output("camera", "Virtual camera")
    if check.status == "ok" and (wrong := loaded_wrongly()):
        check = replace(
            check, status="warn", detail=wrong.rstrip("."), fix="Load it anew: livefilter doctor --fix-hint"
        )
    yield replace(check, commands=(*check.commands, *driver_hints()))


def _pipewire_camera() -> Iterator[Check]:
    check = _output("pipewire", "PipeWire camera")
    # Few need it, so advice to get it would be noise.
    yield check if check.status == "ok" else replace(check, status="absent", fix="", commands=())


def _preview_window() -> Iterator[Check]:
    yield _output("window", "Preview window")


def _output(name: str, title: str) -> Check:
    from livefilter.registry import SINKS

    reason = SINKS.load(name).unavailable()
    return Check(title, "ok", "available") if reason is None else Check(title, "warn", *advice(reason))


def _page() -> Iterator[Check]:
    from livefilter.output.base import SinkOptions
    from livefilter.output.page import PageSink

    try:
        with PageSink("", SinkOptions(64, 64, 30.0)) as page:
            found = page.notice or page.url
    except LivefilterError as error:
        yield Check("Live page", "fail", *advice(error))
    else:
        yield Check("Live page", "ok", found)


def _recording() -> Iterator[Check]:
    import av

    try:
        av.codec.Codec("libx264", "w")
    except ValueError:
        fix = "pip install --force-reinstall av"
        yield Check("H.264 encoder", "warn", f"PyAV {av.__version__} has no libx264: no recording", fix, (fix,))
    else:
        yield Check("H.264 encoder", "ok", f"libx264 in PyAV {av.__version__}")


def _disk() -> Iterator[Check]:
    from livefilter.config import Config, load_config

    try:
        folder = load_config({}).recordings
    except LivefilterError:
        folder = Config.model_validate({}).recordings
    existing = next(path for path in (folder, *folder.absolute().parents) if path.is_dir())
    free_gb = shutil.disk_usage(existing).free / 1e9
    detail = f"{free_gb:.1f} GB free for {folder}"
    if not os.access(existing, os.W_OK):
        yield Check("Recordings", "warn", f"{existing} cannot be written", "Choose another folder with --recordings.")
    elif free_gb < _LOW_DISK_GB:
        yield Check("Recordings", "warn", detail, "Free some space, or choose another folder with --recordings.")
    else:
        yield Check("Recordings", "ok", detail)


def _cluster() -> Iterator[Check]:
    from livefilter.cluster.start import ray_version, why_no_ray

    # Few have more than one machine, so advice to get it would be noise.
    reason = why_no_ray()
    if reason is None:
        yield Check("Cluster", "ok", f"Ray {ray_version()}: livefilter render FOLDER OUT --cluster")
    else:
        yield Check("Cluster", "absent", advice(reason)[0])


ALL: tuple[Callable[[], Iterator[Check]], ...] = (
    _python,
    _settings,
    _opencv,
    _gpu,
    _backends,
    _style,
    _cameras,
    _virtual_camera,
    _pipewire_camera,
    _preview_window,
    _page,
    _recording,
    _disk,
    _cluster,
)
