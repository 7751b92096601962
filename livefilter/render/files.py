"""From a file or folder to its styled counterpart."""

from __future__ import annotations

import os
from pathlib import Path

from livefilter.capture.kinds import Kind, kind_of
from livefilter.errors import InvalidInput
from livefilter.render.folder import render_folder
from livefilter.render.images import ANIMATED_SUFFIXES
from livefilter.render.pictures import Job, Transparency, check_target, render_pictures
from livefilter.render.results import Interrupted, Openers, Rendered, Report, Tracks
from livefilter.render.stages import Stylist
from livefilter.render.video import at_hand, render_video
from livefilter.render.writing import check_free, paths_told, require_source, target_of

__all__ = ["Interrupted", "Openers", "Rendered", "Report", "Tracks", "render_path"]


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
    """Style a video file, an image, or every image and video of a folder.

    target: a file of the same kind, or a folder for a result of the same name. It appears only once it is complete;
    until then, and after an error or Ctrl-C for good, a video lies beside it as NAME.partial-XXXX.SUFFIX, playable.
    No other file is touched, whatever its name; a link in the target's place is replaced and not followed.
    transparency: what becomes of it in pictures; "auto" keeps it where source and target are of kinds that are used so.
    tracks: of the sound of a video.
    Raises: InvalidInput, SinkUnavailable; the first error of any stage; Interrupted.
    """
    source, target = (Path(os.path.expanduser(path)) for path in (source, target))
    with paths_told(source, target):
        require_source(source)
        if source.is_dir():
            return render_folder(source, target, stylist, openers, overwrite, transparency, tracks, report)
        target = target_of(source, target)
    kind = kind_of(source)
    if kind.refusal:
        raise InvalidInput(f"{source} {kind.refusal}")
    if kind is Kind.PICTURE:
        return _render_picture(source, target, stylist, openers, overwrite, transparency, report)
    _check_video_suffix(source, target, openers.video_suffixes)
    check_free(target, overwrite)
    with at_hand(source) as held:
        return render_video(lambda: openers.video(held), source, target, stylist, openers, overwrite, report, tracks)


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
            return render_video(lambda: openers.animation(stills), source, target, stylist, openers, overwrite, report)
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


def _check_video_suffix(source: Path, target: Path, known: tuple[str, ...]) -> None:
    suffix = target.suffix.lower()
    if suffix not in known:
        fits = source.suffix.lower() if source.suffix.lower() in known else known[0]
        meant = f" Name it {target.with_suffix(fits).name}, for example."
        raise InvalidInput(
            f"Cannot write {target}: {source} is a video, so the output must end in one of {', '.join(known)}.{meant}"
        )
