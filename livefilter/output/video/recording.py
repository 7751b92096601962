"""A video file."""

from __future__ import annotations

import errno
import io
import logging
import os
from contextlib import suppress
from pathlib import Path

import av

from livefilter.errors import InvalidInput, NameTaken, SinkLost, SinkUnavailable, nearest
from livefilter.frame import Frame
from livefilter.output.base import Sink, SinkOptions
from livefilter.output.video.encoders import FILES
from livefilter.output.video.mp4_repair import cut_torn_end
from livefilter.output.video.muxer import Muxer

_log = logging.getLogger(__name__)

_DISK_FULL = {errno.ENOSPC, errno.EDQUOT} if hasattr(errno, "EDQUOT") else {errno.ENOSPC}


class RecordingSink(Sink):
    """Records into .mp4, .mov, .mkv (H.264) or .webm (VP9), with the sound of `options.media` beside it, of a
    whole file the subtitles too; its notice says what the file cannot hold. With `options.alpha` .webm keeps
    transparency, and so does .mov, as ProRes 4444.

    Frames of a file keep the file's timing, live ones that of their capture; a repeated frame is not written again.
    The file is playable at every moment: a crash or a full disk costs at most about the last two seconds.
    Only its owner can read a live recording. target: the path; a file that exists is never overwritten,
    but an error, NameTaken.
    """

    slow = True

    @classmethod
    def check(cls, target: str) -> None:
        path = _path_of(target)
        if os.path.lexists(path):
            raise _taken(path)
        if not os.path.isdir(path.parent):
            raise _no_folder(path)

    def __init__(self, target: str, options: SinkOptions) -> None:
        self._path = _path_of(target)
        suffix = self._path.suffix.lower()
        self._file = _create(self._path, private=options.live)
        self._failed = False
        self._closed = False
        try:
            self._muxer = Muxer(self._file, FILES[suffix], options)
        except BaseException as error:
            self._file.close()
            self._path.unlink(missing_ok=True)
            if isinstance(error, av.FFmpegError | OSError | ValueError):
                raise SinkUnavailable(
                    f"Recording to {self._path} cannot start: {reason(error)}. Try another name or --output null."
                ) from error
            raise
        self.name = f"recording {self._path}"
        left_out = self._muxer.subtitles_left_out
        notices = []
        if options.alpha and FILES[suffix].alpha is None:
            kinds = " and ".join(ending for ending, kind in FILES.items() if kind.alpha)
            notices.append(f"The room is plain green, for {suffix} holds no transparency; {kinds} do.")
        if left_out:
            notices.append(
                f"Subtitle track{'s' * (len(left_out) > 1)} left out: {', '.join(left_out)}; "
                f"{suffix} cannot hold {'them as they are' if len(left_out) > 1 else 'it as it is'}."
            )
        self.notice = " ".join(notices) or None
        if (self._muxer.width, self._muxer.height) != (options.width, options.height):
            _log.info("%s is %dx%d: video needs even sides.", self.name, self._muxer.width, self._muxer.height)

    def send(self, frame: Frame) -> None:
        """Encode one frame.

        Raises: SinkLost: nothing more can be written; what was written so far stays playable.
        """
        if self._failed or self._closed:
            raise SinkLost(f"Recording {self._path} has ended; record to a new file to go on.")
        try:
            self._muxer.write(frame)
        except (av.FFmpegError, OSError, ValueError) as error:
            raise self._fail(error) from error

    def close(self) -> None:
        """Finish the file; one without a frame is removed. Can be called twice.

        Raises: SinkLost: the end could not be written; what was written before stays playable.
        """
        if self._closed:
            return
        self._closed = True
        if self._failed:
            return
        try:
            self._muxer.finish()
        except (av.FFmpegError, OSError, ValueError) as error:
            raise self._fail(error) from error
        empty = self._file.tell() == 0
        self._file.close()
        if empty:
            self._path.unlink(missing_ok=True)
            _log.warning("Nothing was recorded to %s: no frame came.", self._path)

    def _fail(self, error: Exception) -> SinkLost:
        self._failed = True
        # First, so that the muxer cannot write the end mark of a whole file over pieces that are playable as they are.
        self._file.close()
        self._muxer.abandon()
        if self._path.suffix.lower() in (".mp4", ".mov"):
            with suppress(OSError):
                cut_torn_end(self._path)
        kept = "What was recorded so far is playable"
        with suppress(OSError):
            if self._path.stat().st_size == 0:
                self._path.unlink()
                kept = "Nothing was recorded"
        return SinkLost(
            f"Recording {self._path} stopped: {reason(error)}. {kept}; "
            "make room or choose another disk, and record to a new file."
        )


class _WholeWrites(io.FileIO):
    """A file that is never behind: no buffer, and each write is complete or an error."""

    def write(self, data: object) -> int:
        view = memoryview(data)  # type: ignore[arg-type]
        done = 0
        while done < len(view):
            done += super().write(view[done:]) or 0
        return done


def _private(path: str, flags: int) -> int:
    """Open a file that only its owner can read: what a camera saw is nobody else's business."""
    return os.open(path, flags, 0o600)


def _create(path: Path, *, private: bool) -> _WholeWrites:
    try:
        return _WholeWrites(path, "x", opener=_private if private else None)
    except FileExistsError as error:
        raise _taken(path) from error
    except FileNotFoundError as error:
        raise _no_folder(path) from error
    except (OSError, ValueError) as error:
        raise SinkUnavailable(
            f"Recording to {path} cannot start: {reason(error)}. Choose a folder that you may write to."
        ) from error


def _path_of(target: str) -> Path:
    """The file that a target names. Raises: InvalidInput: it is of no known kind."""
    path = Path(os.path.expanduser(target))
    if path.suffix.lower() not in FILES:
        raise InvalidInput(_wrong_suffix(target, path.suffix.lower()))
    return path


def _taken(path: Path) -> NameTaken:
    what = "is a folder" if os.path.isdir(path) else "exists already"
    return NameTaken(f"Recording to {path} cannot start: it {what}. Choose another name or delete it.")


def _no_folder(path: Path) -> SinkUnavailable:
    lacking = f"there is no folder {path.parent}. Create it or choose another."
    if os.path.isdir(path.parent):
        lacking = f"no file can be made in {path.parent}. Choose another folder."
    return SinkUnavailable(f"Recording to {path} cannot start: {lacking}")


def reason(error: BaseException) -> str:
    """Why a file cannot be written, as part of a sentence."""
    number = getattr(error, "errno", None)
    if number in _DISK_FULL:
        return "the disk is full"
    if number == errno.EFBIG:
        return "the file has reached the largest size allowed here"
    if isinstance(number, int) and 0 < number < 200:
        return os.strerror(number).lower()
    return str(error) or type(error).__name__


def _wrong_suffix(target: str, suffix: str) -> str:
    known = ", ".join(FILES)
    near = nearest(suffix, FILES)
    meant = f" Did you mean {near}?" if near else ""
    ending = f"its ending {suffix} is no known kind of video" if suffix else "its name has no ending"
    return f"Cannot record to {target!r}: {ending}.{meant} Use one of {known}."
