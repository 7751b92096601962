"""From a file or folder to its styled counterpart."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from livefilter.capture.base import Source
from livefilter.capture.kinds import Kind, kind_of
from livefilter.errors import InvalidInput, SinkUnavailable, SourceUnavailable
from livefilter.output.base import Sink, SinkOptions
from livefilter.render.images import ANIMATED_SUFFIXES, IMAGE_SUFFIXES
from livefilter.render.pictures import Job, Stills, Transparency, check_target, folder_jobs, render_pictures
from livefilter.render.stages import Stylist, render
from livefilter.render.writing import check_free, put_in_place, reason
from livefilter.whole_file import is_one_file, unused_name

_log = logging.getLogger(__name__)

# Called with how many frames are done and how many there are, 0 when that is unknown.
Report: TypeAlias = Callable[[int, int], None]

# Which tracks of a video's sound are kept.
Tracks: TypeAlias = Literal["default", "all", "none"]


@dataclass(frozen=True, slots=True)
class Openers:
    """How files are opened, so that this room needs to know no kind of file.

    video: a finite source of a file's frames. animation: the same of an open animated picture, which it closes.
    recording: a sink that writes a new file. picture: a picture file. video_suffixes: endings of the files that can be
    recorded.
    """

    video: Callable[[Path], Source]
    animation: Callable[[Any], Source]
    recording: Callable[[Path, SinkOptions], Sink]
    picture: Callable[[Path], Stills]
    video_suffixes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rendered:
    """What was made.

    target: the file or folder. frames: frames of the video or animation, pages, or images of a folder.
    skipped: files of a folder that are not images. folders: sub-folders, which are left alone.
    bad: what could not be rendered, a line each. what: what the frames are called.
    notice: what the output cannot hold and was left out.
    """

    target: Path
    frames: int
    skipped: int = 0
    folders: int = 0
    bad: tuple[str, ...] = ()
    what: str = "frame"
    notice: str | None = None


class Interrupted(KeyboardInterrupt):
    """Ctrl-C ended a render early.

    partial: the playable beginning, if there is one. frames: how many frames or images are done.
    """

    def __init__(self, partial: Path | None, frames: int) -> None:
        super().__init__()
        self.partial = partial
        self.frames = frames


def render_path(
    source: Path,
    target: Path,
    stylist: Stylist,
    openers: Openers,
    *,
    overwrite: bool = False,
    transparency: Transparency = "auto",
    tracks: Tracks = "default",
    report: Report,
) -> Rendered:
    """Style a video file, an image, or every image of a folder.

    target: a file of the same kind, or a folder for a result of the same name. It appears only once it is complete;
    until then, and after an error or Ctrl-C for good, a video lies beside it as NAME.partial-XXXX.SUFFIX, playable.
    No other file is touched, whatever its name; a link in the target's place is replaced and not followed.
    transparency: what becomes of it in pictures; "auto" keeps it where source and target are of kinds that are used so.
    tracks: of the sound of a video.
    Raises: InvalidInput, SinkUnavailable; the first error of any stage; Interrupted.
    """
    source, target = (Path(os.path.expanduser(path)) for path in (source, target))
    try:
        if not source.exists():
            raise InvalidInput(f"There is no file or folder {source}: check the path.")
        if source.is_dir():
            return _render_folder(source, target, stylist, openers, overwrite, transparency, report)
        if target.is_dir():
            target /= source.name
        if is_one_file(source, target):
            raise InvalidInput(f"{target} cannot be both what is read and what is written: name another output.")
        if not target.parent.is_dir():
            raise SinkUnavailable(f"Cannot write {target}: there is no folder {target.parent}. Create it first.")
    except OSError as error:  # a name that is too long, or a folder that may not be looked into
        raise InvalidInput(f"Cannot read {source} or write {target}: {reason(error)}. Check both paths.") from error
    kind = kind_of(source)
    if kind.refusal:
        raise InvalidInput(f"{source} {kind.refusal}")
    if kind is Kind.PICTURE:
        return _render_picture(source, target, stylist, openers, overwrite, transparency, report)
    _check_video_suffix(source, target, openers.video_suffixes)
    check_free(target, overwrite)
    with _at_hand(source) as held:
        return _render_video(lambda: openers.video(held), source, target, stylist, openers, overwrite, report, tracks)


def _render_video(
    opener: Callable[[], Source],
    source: Path,
    target: Path,
    stylist: Stylist,
    openers: Openers,
    overwrite: bool,
    report: Report,
    tracks: Tracks = "default",
) -> Rendered:
    partial = unused_name(target)
    done = 0
    notice: str | None = None
    with opener() as opened:
        total = opened.info.frames

        def progress(frames: int) -> None:
            nonlocal done
            done = frames
            report(frames, total)

        def record(options: SinkOptions) -> Sink:
            nonlocal notice
            sink = openers.recording(partial, options)
            notice = sink.notice
            return sink

        try:
            render(opened, stylist, record, progress, tracks)
            damage = opened.damage
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
    put_in_place(partial, target, overwrite)
    return Rendered(target, done, bad=(damage,) if damage else (), notice=notice)


@contextmanager
def _at_hand(source: Path) -> Iterator[Path]:
    """The file itself; of a named pipe, which can be read only once, a copy that goes away afterwards."""
    if not source.is_fifo():
        yield source
        return
    with tempfile.TemporaryDirectory(prefix="livefilter-") as folder:
        copy = Path(folder) / source.name
        try:
            with source.open("rb") as pipe, copy.open("wb") as file:
                shutil.copyfileobj(pipe, file)
        except OSError as error:
            raise SourceUnavailable(f"Cannot copy what {source} gives to {folder}: {reason(error)}.") from error
        yield copy


def _render_picture(
    source: Path,
    target: Path,
    stylist: Stylist,
    openers: Openers,
    overwrite: bool,
    transparency: Transparency,
    report: Report,
) -> Rendered:
    stills = openers.picture(source)
    try:
        check_target(stills, source, target, openers.video_suffixes)
        check_free(target, overwrite)
        filmed = stills.animated and target.suffix.lower() not in ANIMATED_SUFFIXES
        if filmed:
            return _render_video(lambda: openers.animation(stills), source, target, stylist, openers, overwrite, report)
        count, what = stills.count, "animated frame" if stills.animated else "frame" if stills.count == 1 else "page"
    finally:
        stills.close()
    job = Job(source, target)
    report(0, 1)
    try:
        render_pictures(
            [job],
            openers.picture,
            stylist,
            transparency=transparency,
            overwrite=overwrite,
            progress=lambda done: report(done, 1),
        )
    except KeyboardInterrupt as interrupt:
        raise Interrupted(None, 0) from interrupt
    if job.failed is not None:
        raise job.failed
    return Rendered(target, count, what=what)


def _render_folder(
    source: Path,
    target: Path,
    stylist: Stylist,
    openers: Openers,
    overwrite: bool,
    transparency: Transparency,
    report: Report,
) -> Rendered:
    if not target.exists() and target.suffix.lower() in (*openers.video_suffixes, *IMAGE_SUFFIXES):
        raise InvalidInput(f"{source} is a folder, so OUT must be a folder too; {target} looks like a file.")
    if target.exists() and not target.is_dir():
        raise SinkUnavailable(f"Cannot write {target}: {source} is a folder, so the output must be one too.")
    if is_one_file(source, target):
        raise InvalidInput(f"{target} cannot be both what is read and what is written: name another folder.")
    jobs, skipped, folders = folder_jobs(source, target)
    if not jobs:
        raise InvalidInput(f"{source} holds no image; sub-folders are not searched.")
    same = next((job.target for job in jobs if is_one_file(job.source, job.target)), None)
    if same is not None:
        raise InvalidInput(f"{same} cannot be both what is read and what is written: name another folder.")
    taken = [job.target for job in jobs if os.path.lexists(job.target)]
    if taken and not overwrite:
        more = f" and {len(taken) - 1} more" if len(taken) > 1 else ""
        raise SinkUnavailable(f"{taken[0]}{more} exist already: name another folder, or replace them with --overwrite.")
    try:
        target.mkdir(exist_ok=True)
    except OSError as error:
        raise SinkUnavailable(f"Cannot create folder {target}: {reason(error)}. Create it yourself first.") from error
    done = 0

    def progress(count: int) -> None:
        nonlocal done
        done = count
        report(count, len(jobs))

    report(0, len(jobs))
    try:
        render_pictures(
            jobs, openers.picture, stylist, transparency=transparency, overwrite=overwrite, progress=progress
        )
    except KeyboardInterrupt as interrupt:
        raise Interrupted(target if done else None, done) from interrupt
    except BaseException:
        if done:
            _log.warning("The %d images that were done are in %s", done, target)
        raise
    bad = [job.failed for job in jobs if job.failed is not None]
    if not done:
        more = f" Nor can {len(bad) - 1} more." if len(bad) > 1 else ""
        raise InvalidInput(f"No image of {source} can be rendered. {bad[0]}{more}")
    return Rendered(target, done, skipped, folders, tuple(str(one) for one in bad), "image")


def _check_video_suffix(source: Path, target: Path, known: tuple[str, ...]) -> None:
    suffix = target.suffix.lower()
    if suffix not in known:
        fits = source.suffix.lower() if source.suffix.lower() in known else known[0]
        meant = f" Name it {target.with_suffix(fits).name}, for example."
        raise InvalidInput(
            f"Cannot write {target}: {source} is a video, so the output must end in one of {', '.join(known)}.{meant}"
        )
