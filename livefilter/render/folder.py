"""From a folder of pictures and videos to a folder of their styled counterparts."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from livefilter.capture.kinds import Kind, kind_of
from livefilter.errors import InvalidInput, LivefilterError, SinkUnavailable, SourceError
from livefilter.render.images import IMAGE_SUFFIXES
from livefilter.render.pictures import Job, Transparency, folder_jobs, render_pictures
from livefilter.render.results import Interrupted, Openers, Rendered, Report, Tracks
from livefilter.render.stages import Stylist
from livefilter.render.video import render_video
from livefilter.render.writing import reason
from livefilter.whole_file import is_one_file

_log = logging.getLogger(__name__)

# Of a folder only these are taken for videos: what else lies there may be anything.
_VIDEO_NAMES = {".3gp", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".mxf"} | {
    *(".ogv", ".ts", ".vob", ".webm", ".wmv", ".y4m"),
}
_PROGRAM_TEXTS = {".ts", ".mts"}  # TypeScript has the same endings


@dataclass(frozen=True, slots=True)
class Contents:
    """What a folder holds: pictures and videos with where they go, the number of other files and of sub-folders."""

    pictures: tuple[Job, ...]
    videos: tuple[tuple[Path, Path], ...]
    skipped: int
    folders: int

    @property
    def pairs(self) -> list[tuple[Path, Path]]:
        """Each file and where it goes, pictures first."""
        return [*((job.source, job.target) for job in self.pictures), *self.videos]

    @property
    def what(self) -> str:
        """What the files are called."""
        return "file" if self.pictures and self.videos else "video" if self.videos else "image"


def folder_contents(source: Path, target: Path, video_suffixes: tuple[str, ...]) -> Contents:
    """The pictures and videos of a folder and where each goes; sub-folders are left alone.

    video_suffixes: the endings of videos that can be written; others become the first of them.
    Raises: InvalidInput, SinkUnavailable: there is nothing to style, or the target cannot take it.
    """
    if not target.exists() and target.suffix.lower() in (*video_suffixes, *IMAGE_SUFFIXES):
        raise InvalidInput(f"{source} is a folder, so OUT must be a folder too; {target} looks like a file.")
    if target.exists() and not target.is_dir():
        raise SinkUnavailable(f"Cannot write {target}: {source} is a folder, so the output must be one too.")
    if is_one_file(source, target):
        raise InvalidInput(f"{target} cannot be both what is read and what is written: name another folder.")
    jobs, skipped, folders = folder_jobs(source, target)
    pictured = {job.source for job in jobs}
    found = [entry for entry in sorted(source.iterdir()) if entry not in pictured and is_video(entry)]
    taken = {job.target.name for job in jobs} | {entry.name for entry in found}
    videos = []
    for entry in found:
        name = entry.name
        if entry.suffix.lower() not in video_suffixes:
            name = entry.stem + video_suffixes[0]
            name = entry.name + video_suffixes[0] if name in taken else name
            taken.add(name)
        videos.append((entry, target / name))
    contents = Contents(tuple(jobs), tuple(videos), skipped - len(videos), folders)
    if not contents.pairs:
        raise InvalidInput(f"{source} holds no image or video; sub-folders are not searched.")
    same = next((out for file, out in contents.pairs if is_one_file(file, out)), None)
    if same is not None:
        raise InvalidInput(f"{same} cannot be both what is read and what is written: name another folder.")
    return contents


def check_all_free(targets: Iterable[Path], overwrite: bool) -> None:
    """Refuse names that are taken.

    Raises: SinkUnavailable.
    """
    taken = [] if overwrite else [target for target in targets if os.path.lexists(target)]
    if taken:
        more = f" and {len(taken) - 1} more" if len(taken) > 1 else ""
        raise SinkUnavailable(f"{taken[0]}{more} exist already: name another folder, or replace them with --overwrite.")


def make_folder(target: Path) -> None:
    """Make the folder that takes the results.

    Raises: SinkUnavailable.
    """
    try:
        target.mkdir(exist_ok=True)
    except OSError as error:
        raise SinkUnavailable(f"Cannot create folder {target}: {reason(error)}. Create it yourself first.") from error


def render_folder(
    source: Path,
    target: Path,
    stylist: Stylist,
    openers: Openers,
    overwrite: bool,
    transparency: Transparency,
    tracks: Tracks,
    report: Report,
) -> Rendered:
    """Style the pictures of a folder, then its videos; what is damaged is told, and the rest is done.

    Raises: InvalidInput, SinkUnavailable; the first error of the style or of writing; Interrupted.
    """
    contents = folder_contents(source, target, openers.video_suffixes)
    check_all_free((out for _, out in contents.pairs), overwrite)
    new = not target.exists()
    make_folder(target)
    jobs, count = list(contents.pictures), len(contents.pairs)
    bad: list[LivefilterError | str] = []
    done = 0

    def progress(number: int) -> None:
        nonlocal done
        done = number
        report(number, count)

    report(0, count)
    try:
        if jobs:
            render_pictures(
                jobs, openers.picture, stylist, transparency=transparency, overwrite=overwrite, progress=progress
            )
        bad += [job.failed for job in jobs if job.failed is not None]
        for film, out in contents.videos:
            try:
                made = _render_film(film, out, stylist, openers, overwrite, tracks)
            except (InvalidInput, SourceError) as error:
                bad.append(error)
                continue
            bad += made.bad
            progress(done + 1)
    except KeyboardInterrupt as interrupt:
        begun = isinstance(interrupt, Interrupted) and interrupt.partial is not None  # the beginning of a video
        raise Interrupted(target if done or begun else None, done) from interrupt
    except BaseException:
        if done:
            _log.warning("The %d %ss that were done are in %s", done, contents.what, target)
        raise
    finally:
        if new:
            with suppress(OSError):  # a folder that holds something stays
                target.rmdir()
    if not done:
        more = f" Nor can {len(bad) - 1} more." if len(bad) > 1 else ""
        raise InvalidInput(f"No {contents.what} of {source} can be rendered. {bad[0]}{more}")
    return Rendered(target, done, contents.skipped, contents.folders, tuple(map(str, bad)), contents.what)


def _render_film(
    source: Path, target: Path, stylist: Stylist, openers: Openers, overwrite: bool, tracks: Tracks
) -> Rendered:
    made = render_video(
        lambda: openers.video(source), source, target, stylist, openers, overwrite, lambda _done, _total: None, tracks
    )
    if made.notice:
        _log.warning("%s: %s", target, made.notice)
    return made


def is_video(path: Path) -> bool:
    """Whether a file is a video, by what is in it."""
    if path.name.startswith(".") or path.suffix.lower() not in _VIDEO_NAMES:
        return False
    try:
        kind = kind_of(path) if path.is_file() else None
        if kind is Kind.TEXT:  # a page that says "not found", saved under the name of the film
            return path.suffix.lower() not in _PROGRAM_TEXTS
        return kind in (Kind.OTHER, Kind.EMPTY)
    except (LivefilterError, OSError):
        return path.is_file()  # what cannot be read is told when its turn comes
