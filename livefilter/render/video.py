"""From a video, or an animation, to its styled counterpart."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from livefilter.capture.base import Source
from livefilter.errors import InvalidInput, SourceUnavailable
from livefilter.output.base import Sink, SinkOptions
from livefilter.render.results import Interrupted, Openers, Rendered, Report, Tracks
from livefilter.render.stages import Stylist, render
from livefilter.render.writing import put_in_place, reason
from livefilter.whole_file import unused_name

_log = logging.getLogger(__name__)


def render_video(
    opener: Callable[[], Source],
    source: Path,
    target: Path,
    stylist: Stylist,
    openers: Openers,
    overwrite: bool,
    report: Report,
    tracks: Tracks = "default",
) -> Rendered:
    """Style every frame of what `opener` opens into a file that gets its name when it is complete.

    Raises: the first error of any stage; InvalidInput: there is no frame; Interrupted.
    """
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
            # A second one came while the file was being finished: it does not play.
            if not done or isinstance(interrupt.__context__, KeyboardInterrupt):
                with suppress(OSError):
                    partial.unlink(missing_ok=True)
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
def at_hand(source: Path) -> Iterator[Path]:
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
