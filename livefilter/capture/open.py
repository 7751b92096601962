"""From the words a user writes after --input to an open source."""

from __future__ import annotations

import difflib
import logging
import os
import re
import sys
from pathlib import Path

from livefilter.capture.addresses import SCHEMES, is_url
from livefilter.capture.base import Source, SourceOptions
from livefilter.capture.kinds import Kind, kind_of
from livefilter.errors import InvalidInput, LivefilterError, SourceUnavailable, UnknownName, nearest
from livefilter.masking import mask_address
from livefilter.registry import SOURCES

_log = logging.getLogger(__name__)
_WORDS = ("auto", "demo", "screen")
_PREFIX = re.compile(r"(file|image|camera|stream|demo|screen):(.*)", re.DOTALL)
_LOOKS_LIKE_A_FILE = re.compile(r"[/\\]|\.\w{2,4}$")


def resolve_input(spec: str) -> tuple[str, str]:
    """What an input's words mean: the kind (a name in SOURCES, or "auto") and the target for it; opens nothing.

    spec: auto; demo; a camera by index, device path, bus or name; a video or image file; a URL; screen, screen:2,
    screen:X,Y,WxH; or one of these after camera:, file:, image:, stream:, demo:, screen:.
    Raises: InvalidInput: it is none of these; names what is nearest.
    """
    words = spec.strip()
    if words in ("auto", "demo", "screen"):
        return words, ""
    explicit = _PREFIX.fullmatch(words)
    if explicit:
        return _explicit(explicit[1], explicit[2])
    if is_url(words):
        return "stream", words
    if words.isdecimal() or re.fullmatch(r"/dev/(video\d+|v4l/.+)|(usb-|pci-|PCI:|platform:)\S+", words):
        return "camera", words
    if not words:
        raise InvalidInput("The input is empty: name a camera, a file, a URL, auto, demo or screen.")
    path = Path(os.path.expanduser(words))
    if _is_dir(path):
        raise InvalidInput(f"{words} is a folder. A folder of images can be styled with: livefilter render {words} OUT")
    if _exists(path):
        return ("image" if kind_of(path) is Kind.PICTURE else "file"), str(path)
    if "://" in words:
        raise InvalidInput(
            f"Cannot read {mask_address(words)}: the address must start with one of {', '.join(SCHEMES)}."
        )
    if _LOOKS_LIKE_A_FILE.search(words):
        raise InvalidInput(f"There is no file {words}.{_nearest_file(path)} Check the path.")
    return "camera", _camera_named(words)


def open_source(spec: str, options: SourceOptions) -> Source:
    """Open the input that `spec` names; with "auto" what that chose is logged as a warning.

    Raises: InvalidInput, SourceUnavailable.
    """
    source, notice = find_input(spec, options)
    if notice:
        _log.warning("%s", notice)
    return source


def find_input(spec: str, options: SourceOptions) -> tuple[Source, str | None]:
    """Open an input; with "auto" the first camera that delivers, or else the demo scene and a line that says why.

    Raises: InvalidInput, SourceUnavailable.
    """
    kind, target = resolve_input(spec)
    if kind != "auto":
        return SOURCES.load(kind)(target, options), None
    from livefilter.capture.listing import list_cameras

    trouble: list[str] = []
    virtual: list[str] = []
    try:
        for camera in list_cameras():
            if camera.virtual:
                virtual.append(camera.name)
                continue
            try:
                return SOURCES.load("camera")(str(camera.index), options), None
            except LivefilterError as error:
                trouble.append(str(error).rstrip("."))
    except LivefilterError as error:
        trouble.append(str(error).rstrip("."))
    if trouble:
        notice = f"Showing the demo scene, because no camera works. {'. '.join(trouble)}."
    else:
        looked = f" but the virtual {', '.join(virtual)}" if virtual else _where_looked()
        notice = f"No camera found{looked}: showing the demo scene. Plug in a camera or name one with --input."
    return SOURCES.load("demo")("", options), notice


def _explicit(kind: str, target: str) -> tuple[str, str]:
    if kind == "screen":
        from livefilter.capture.screens import check_region

        check_region(target)
    elif kind == "demo":
        if target:
            raise InvalidInput(f"The demo scene takes no target, so not {target!r}: write just demo.")
    elif not target:
        raise InvalidInput(f"{kind}: names nothing: write what to open after the colon.")
    elif kind == "stream" and not is_url(target):
        raise InvalidInput(
            f"{mask_address(target)!r} is no stream address: it must start with {', '.join(SCHEMES)} and ://."
        )
    elif kind in ("file", "image"):
        path = Path(os.path.expanduser(target))
        if _is_dir(path):
            raise InvalidInput(
                f"{target} is a folder. A folder of images can be styled with: livefilter render {target} OUT"
            )
        if not _exists(path):
            raise InvalidInput(f"There is no file {target}.{_nearest_file(path)} Check the path.")
        return kind, str(path)
    return kind, target


def _camera_named(name: str) -> str:
    """The name itself, when one camera has it.

    Raises: InvalidInput.
    """
    from livefilter.capture.listing import find_camera, list_cameras

    cameras = list_cameras()
    try:
        find_camera(name, cameras)
    except UnknownName:
        near = nearest(name, [*_WORDS, *(camera.name for camera in cameras)])
        meant = f" Did you mean {near!r}?" if near else _nearest_file(Path(name))
        known = ", ".join(str(camera) for camera in cameras) or "none"
        raise InvalidInput(
            f"Unknown input {name!r}: no camera has that name (cameras here: {known}) and there is no such file."
            f"{meant} Known: auto, demo, screen, a camera's index or name, a file, a URL."
        ) from None
    return name


def _exists(path: Path) -> bool:
    """Whether there is such a file; also for names that are too long, and in folders that may not be looked into.

    Raises: SourceUnavailable: it cannot be known.
    """
    try:
        return path.exists()
    except PermissionError as error:
        raise SourceUnavailable(f"May not look for {path}: change the permissions of {path.parent}.") from error
    except (OSError, ValueError):  # too long for a name, or a NUL in it
        return False


def _is_dir(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def _nearest_file(path: Path) -> str:
    if os.path.islink(path):
        return f" {path} is a link that leads nowhere."
    try:
        names = [entry.name for entry in path.parent.iterdir() if not entry.name.startswith(".")]
    except OSError:
        return f" There is no folder {path.parent} either."
    found = difflib.get_close_matches(path.name, names, n=1, cutoff=0.75)
    return f" Did you mean {path.parent / found[0]}?" if found else ""


def _where_looked() -> str:
    return " (/dev/video* is empty)" if sys.platform.startswith("linux") else ""
