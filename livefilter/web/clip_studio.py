"""Short clips of the photo page: one at a time, in a folder of their own that nobody else can read."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from livefilter.closeable import Closeable
from livefilter.errors import Busy, InvalidInput, LivefilterError
from livefilter.web.thumbnails import give_way

MAX_BYTES = 300 * 2**20
MAX_FRAMES = 5400  # three minutes at 30 a second
# Source, target, style, network, strength, and what is told how many frames of how many are done.
RenderClip = Callable[[Path, Path, str, str, float, Callable[[int, int], None]], None]


class _Cancelled(KeyboardInterrupt):
    """Somebody does not want the clip any more: to a render the same as Ctrl-C, which is no error."""


@dataclass
class Clip:
    """A clip that is being styled, or is done."""

    folder: Path
    name: str
    key: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    done: int = 0
    total: int = 0
    error: str = ""
    finished: bool = False
    cancelled: bool = False

    @property
    def source(self) -> Path:
        return self.folder / "source"

    @property
    def result(self) -> Path:
        return self.folder / "styled.mp4"

    def state(self) -> dict[str, Any]:
        """What the page shows."""
        return {
            "id": self.key, "done": self.done, "total": self.total, "finished": self.finished, "error": self.error,
        }  # fmt: skip


class ClipStudio(Closeable):
    """Styles one clip at a time, on a thread that gives way to every other; the one before is forgotten."""

    def __init__(self, render: RenderClip) -> None:
        self._render = render
        self._clip: Clip | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def new(self, name: str) -> Clip:
        """A place for a clip that is about to come.

        Raises: Busy: another one is being styled.
        """
        with self._lock:
            if self._clip is not None and not (self._clip.finished or self._clip.error or self._clip.cancelled):
                raise Busy("Another clip is being styled. Wait for it, or cancel it.")
            self._forget()
            # mkdtemp makes it for this user alone.
            self._clip = Clip(Path(tempfile.mkdtemp(prefix="livefilter-clip-")), name)
            return self._clip

    def start(self, clip: Clip, style: str, network: str, strength: float) -> None:
        """Style a clip whose source has been written."""
        self._thread = threading.Thread(
            target=self._run, args=(clip, style, network, strength), name="clip", daemon=True
        )
        self._thread.start()

    def get(self, key: str) -> Clip | None:
        """The clip, if it is still the one that is kept."""
        clip = self._clip
        return clip if clip is not None and clip.key == key else None

    def cancel(self, clip: Clip) -> None:
        """End the work on a clip soon, and forget it."""
        clip.cancelled = True
        thread = self._thread
        if thread is not None:
            thread.join(10.0)
        with self._lock:
            if self._clip is clip:
                self._forget()

    def close(self) -> None:
        """Cancel what runs and remove every file. Can be called twice."""
        if self._clip is not None:
            self.cancel(self._clip)

    def _run(self, clip: Clip, style: str, network: str, strength: float) -> None:
        give_way()

        def report(done: int, total: int) -> None:
            clip.done, clip.total = done, total
            if clip.cancelled:
                raise _Cancelled
            if max(done, total) > MAX_FRAMES:
                raise InvalidInput(f"The clip has more than {MAX_FRAMES} frames. Cut it, or use livefilter render.")

        try:
            self._render(clip.source, clip.result, style, network, strength, report)
            clip.finished = True
        except KeyboardInterrupt:
            pass
        except (LivefilterError, OSError) as error:
            # Its place on the disk is nobody's business.
            clip.error = str(error).replace(str(clip.source), clip.name or "the clip").replace(str(clip.result), "it")
        finally:
            if not clip.finished:
                shutil.rmtree(clip.folder, ignore_errors=True)

    def _forget(self) -> None:
        if self._clip is not None:
            shutil.rmtree(self._clip.folder, ignore_errors=True)
        self._clip = None


def create_private(path: Path) -> int:
    """A new file that only this user can read; its descriptor."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
