"""Starting over with another input while the run goes on."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from livefilter.capture.base import SourceOptions
from livefilter.capture.kinds import Kind, kind_of
from livefilter.capture.listing import lasting_target, list_cameras
from livefilter.config import Config
from livefilter.errors import Busy, LivefilterError, UnknownName
from livefilter.live.input import LiveInput
from livefilter.live.open_input import open_input

_log = logging.getLogger(__name__)
_MOST_FILES = 40


class InputChooser:
    """Offers inputs by name, and puts the chosen one in the place of the one that runs.

    Whoever calls the API chooses from this list alone: a path or an address never comes from there.
    notify: told what happens, for the person in control.
    """

    def __init__(self, config: Config, live_input: LiveInput, notify: Callable[[str], object]) -> None:
        self._config, self._input, self._notify = config, live_input, notify
        self._opening = threading.Lock()
        # The target of what runs, as far as it is one.
        self._running = {"auto": "", "demo": "demo"}.get(config.input, "first")

    def listed(self) -> list[dict[str, Any]]:
        """What may be chosen beside what runs: name for people, and target for the action."""
        known = self._known()
        return [{"name": name, "target": target} for target, (name, _) in known.items() if target != self._running]

    def choose(self, target: str) -> None:
        """Open another input and go on with it; opening goes on after this returns.

        Raises: UnknownName: it is none of those listed. Busy: one is being opened.
        """
        known = self._known()
        if target not in known:
            raise UnknownName("input", target[:60], known)
        if not self._opening.acquire(blocking=False):
            raise Busy("Another input is being opened. Wait a moment.")
        self._notify(f"Opening {known[target][0]}")
        threading.Thread(target=self._open, args=(target, *known[target]), name="input-chooser", daemon=True).start()

    def _open(self, target: str, name: str, spec: str) -> None:
        config = self._config
        options = SourceOptions(config.width, config.height, config.fps, loop=True)
        try:
            found = open_input(spec, options)
            self._input.replace(found.source, found.reopen)
        except LivefilterError as error:
            self._notify(f"Staying with {self._input.name}: {error}")
        except Exception as error:  # whatever a driver throws, the input that runs goes on
            _log.exception("Input %s could not be opened", name)
            self._notify(f"Staying with {self._input.name}: {name} could not be opened ({error})")
        else:
            self._running = target
            self._notify(f"Input: {name}")
        finally:
            self._opening.release()

    def _known(self) -> dict[str, tuple[str, str]]:
        """Target -> name and what to open."""
        found: dict[str, tuple[str, str]] = {}
        try:
            cameras = [camera for camera in list_cameras() if not camera.virtual]
        except LivefilterError as error:
            _log.info("No cameras listed: %s", error)
            cameras = []
        for camera in cameras:
            # Called by its name: the path that lasts tells a camera's serial number.
            name, number = camera.name, 1
            while f"camera:{name}" in found:
                number += 1
                name = f"{camera.name} ({number})"
            found[f"camera:{name}"] = (name, lasting_target(camera, cameras))
        found["demo"] = ("Demo scene", "demo")
        if self._config.input not in ("auto", "demo"):
            found.setdefault("first", ("The input of the start", self._config.input))
        for path in _films(self._config.recordings):
            found[f"film:{path.name}"] = (path.name, f"file:{path}")
        return found


def _films(folder: Path) -> list[Path]:
    """The newest videos of the recordings' folder and of the one that it is in, where people keep their own."""
    paths: list[tuple[float, Path]] = []
    for place in (folder, folder.parent):
        try:
            paths += [
                (path.stat().st_mtime, path)
                for path in place.iterdir()
                if path.suffix.lower() in (".mp4", ".mkv", ".mov", ".webm", ".avi") and path.is_file()
            ]
        except OSError:
            continue
    newest = [path for _, path in sorted(paths, reverse=True)[:_MOST_FILES]]
    return [path for path in newest if kind_of(path) is Kind.OTHER]
