"""From a file or folder to its styled counterpart."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from livefilter.capture.base import Source
from livefilter.errors import EndOfStream, InvalidInput, SinkUnavailable
from livefilter.frame import Image
from livefilter.output.base import Sink, SinkOptions
from livefilter.render.images import IMAGE_SUFFIXES, READABLE_SUFFIXES, encode_image
from livefilter.render.stages import Stylist, render, run_stages

_log = logging.getLogger(__name__)

# Called with how many frames are done and how many there are, 0 when that is unknown.
Report: TypeAlias = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Openers:
    """How files are opened, so that this room needs to know no kind of file.

    video: a finite source of the file's frames. recording: a sink that writes a new file. image: an image's pixels,
    (H, W, 3) uint8 BGR. video_suffixes: endings of the files that can be recorded.
    """

    video: Callable[[Path], Source]
    recording: Callable[[Path, SinkOptions], Sink]
    image: Callable[[Path], Image]
    video_suffixes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rendered:
    """What was made.

    target: the file or folder. frames: frames of the video, or images.
    skipped: files of a folder that are not images. folders: sub-folders, which are left alone.
    """

    target: Path
    frames: int
    skipped: int = 0
    folders: int = 0


class Interrupted(KeyboardInterrupt):
    """Ctrl-C ended a render early.

    partial: the playable beginning, if there is one. frames: how many frames or images are done.
    """

    def __init__(self, partial: Path | None, frames: int) -> None:
        super().__init__()
        self.partial = partial
        self.frames = frames


def render_path(
    source: Path, target: Path, stylist: Stylist, openers: Openers, *, overwrite: bool = False, report: Report
) -> Rendered:
    """Style a video file, an image, or every image of a folder.

    target: a file of the same kind, or a folder for a result of the same name. It appears only once it is complete;
    until then, and after an error or Ctrl-C for good, a video lies beside it as NAME.partial.SUFFIX and is playable.
    Raises: InvalidInput, SinkUnavailable; the first error of any stage; Interrupted.
    """
    source, target = source.expanduser(), target.expanduser()
    if not source.exists():
        raise InvalidInput(f"There is no file or folder {source}: check the path.")
    if source.is_dir():
        return _render_folder(source, target, stylist, openers, overwrite, report)
    if target.is_dir():
        target /= source.name
    if target.exists() and target.samefile(source):
        raise InvalidInput(f"{target} cannot be both what is read and what is written: name another output.")
    if not target.parent.is_dir():
        raise SinkUnavailable(f"Cannot write {target}: there is no folder {target.parent}. Create it first.")
    if source.suffix.lower() in READABLE_SUFFIXES:
        _check_suffix(source, target, "an image", IMAGE_SUFFIXES)
        _check_free(target, overwrite)
        return _render_image(source, target, stylist, openers, overwrite, report)
    _check_suffix(source, target, "a video", openers.video_suffixes)
    _check_free(target, overwrite)
    return _render_video(source, target, stylist, openers, overwrite, report)


def _render_video(
    source: Path, target: Path, stylist: Stylist, openers: Openers, overwrite: bool, report: Report
) -> Rendered:
    partial = target.with_name(f"{target.stem}.partial{target.suffix}")
    if partial.exists():
        if not overwrite:
            raise SinkUnavailable(
                f"{partial} is left from a render that was interrupted: delete it, or pass --overwrite."
            )
        partial.unlink()
    done = 0
    with openers.video(source) as opened:
        total = opened.info.frames

        def progress(frames: int) -> None:
            nonlocal done
            done = frames
            report(frames, total)

        try:
            render(opened, stylist, lambda options: openers.recording(partial, options), progress)
        except KeyboardInterrupt as interrupt:
            raise Interrupted(partial if partial.exists() else None, done) from interrupt
        except BaseException:
            if partial.exists() and not done:
                partial.unlink()
            elif partial.exists():
                _log.warning("The %d frames that were done are in %s", done, partial)
            raise
    if not done:
        raise InvalidInput(f"{source} holds no frame that can be decoded, so there is nothing to write.")
    _put_in_place(partial, target, overwrite)
    return Rendered(target, done)


def _render_image(
    source: Path, target: Path, stylist: Stylist, openers: Openers, overwrite: bool, report: Report
) -> Rendered:
    report(0, 1)
    _write_image(target, encode_image(stylist(openers.image(source)), target), overwrite)
    report(1, 1)
    return Rendered(target, 1)


def _render_folder(
    source: Path, target: Path, stylist: Stylist, openers: Openers, overwrite: bool, report: Report
) -> Rendered:
    if not target.exists() and target.suffix.lower() in (*openers.video_suffixes, *IMAGE_SUFFIXES):
        raise InvalidInput(f"{source} is a folder, so OUT must be a folder too; {target} looks like a file.")
    if target.exists() and not target.is_dir():
        raise SinkUnavailable(f"Cannot write {target}: {source} is a folder, so the output must be one too.")
    if target.exists() and target.samefile(source):
        raise InvalidInput(f"{target} cannot be both what is read and what is written: name another folder.")
    files = sorted(entry for entry in source.iterdir() if entry.is_file())
    images = [entry for entry in files if entry.suffix.lower() in IMAGE_SUFFIXES]
    folders = sum(entry.is_dir() for entry in source.iterdir())
    if not images:
        raise InvalidInput(f"{source} holds no image ({', '.join(IMAGE_SUFFIXES)}); sub-folders are not searched.")
    taken = [image.name for image in images if (target / image.name).exists()]
    if taken and not overwrite:
        more = f" and {len(taken) - 1} more" if len(taken) > 1 else ""
        raise SinkUnavailable(
            f"{target / taken[0]}{more} exist already: name another folder, or replace them with --overwrite."
        )
    try:
        target.mkdir(exist_ok=True)
    except OSError as error:
        raise SinkUnavailable(f"Cannot create folder {target}: {_reason(error)}. Create it yourself first.") from error
    waiting = iter(images)
    done = 0

    def progress(count: int) -> None:
        nonlocal done
        done = count
        report(count, len(images))

    def read() -> tuple[Image, Path]:
        image = next(waiting, None)
        if image is None:
            raise EndOfStream(f"{source} is at its end.")
        return openers.image(image), target / image.name

    def style(loaded: tuple[Image, Path]) -> tuple[bytes, Path]:
        return encode_image(stylist(loaded[0]), loaded[1]), loaded[1]

    def write(encoded: tuple[bytes, Path]) -> None:
        _write_image(encoded[1], encoded[0], overwrite)

    report(0, len(images))
    try:
        run_stages(read, style, write, progress)
    except KeyboardInterrupt as interrupt:
        raise Interrupted(target if done else None, done) from interrupt
    except BaseException:
        if done:
            _log.warning("The %d images that were done are in %s", done, target)
        raise
    return Rendered(target, len(images), len(files) - len(images), folders)


def _write_image(target: Path, encoded: bytes, overwrite: bool) -> None:
    partial = target.with_name(f"{target.stem}.partial{target.suffix}")
    try:
        partial.write_bytes(encoded)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise SinkUnavailable(f"Cannot write {target}: {_reason(error)}. Choose another folder.") from error
    _put_in_place(partial, target, overwrite)


def _put_in_place(partial: Path, target: Path, overwrite: bool) -> None:
    """Give a complete file its name."""
    if target.exists() and not overwrite:
        raise SinkUnavailable(f"{target} appeared meanwhile; the result is in {partial}. Rename it as you like.")
    try:
        os.replace(partial, target)
    except OSError as error:
        raise SinkUnavailable(f"Cannot write {target}: {_reason(error)}. The result is in {partial}.") from error


def _check_free(target: Path, overwrite: bool) -> None:
    if target.exists() and not overwrite:
        raise SinkUnavailable(f"{target} exists already: choose another name, or replace it with --overwrite.")


def _check_suffix(source: Path, target: Path, kind: str, known: tuple[str, ...]) -> None:
    suffix = target.suffix.lower()
    if suffix not in known:
        fits = source.suffix.lower() if source.suffix.lower() in known else known[0]
        meant = f" Name it {target.with_suffix(fits).name}, for example."
        raise InvalidInput(
            f"Cannot write {target}: {source} is {kind}, so the output must end in one of {', '.join(known)}.{meant}"
        )


def _reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
