"""From pictures to their styled counterparts: one, the pages or frames of one, or a folder of them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from livefilter.capture.kinds import Kind, kind_of
from livefilter.capture.pixels import to_bgr
from livefilter.cutout import on_green
from livefilter.errors import EndOfStream, InvalidInput, LivefilterError, SourceUnavailable
from livefilter.render import writing
from livefilter.render.images import (
    ANIMATED_SUFFIXES,
    IMAGE_SUFFIXES,
    PAGED_SUFFIXES,
    encode_images,
    holds_alpha,
    keeps_alpha,
    visible_colours,
)
from livefilter.render.stages import Stylist, run_stages

_log = logging.getLogger(__name__)

Transparency: TypeAlias = Literal["auto", "keep", "white", "black"]

# Together, the pictures of one animation: all are held until the file is written.
_MOST_PIXELS = 2**28
_FROM_PHONES = (".heic", ".heif")


class Stills(Protocol):
    """An open picture file, see `livefilter.capture.pictures`."""

    kind: str
    count: int
    animated: bool

    def read(self, number: int = 0) -> Still:
        """One picture."""

    def close(self) -> None:
        """Close the file."""


class Still(Protocol):
    """One picture, (H, W, 3 or 4) uint8 BGR(A), and the seconds for which an animation shows it."""

    @property
    def image(self) -> NDArray[np.uint8]: ...

    @property
    def duration_s(self) -> float: ...


@dataclass
class Job:
    """A picture file and where it goes."""

    source: Path
    target: Path
    failed: LivefilterError | None = None
    kind: str = ""
    images: list[NDArray[np.uint8]] = field(default_factory=list)
    durations_s: list[float] = field(default_factory=list)


_Item: TypeAlias = tuple[Job, NDArray[np.uint8] | None, bool]


def check_target(stills: Stills, source: Path, target: Path, video_suffixes: tuple[str, ...]) -> None:
    """Refuse a target that cannot hold all that a picture file holds.

    Raises: InvalidInput.
    """
    suffix = target.suffix.lower()
    if stills.animated and suffix not in ANIMATED_SUFFIXES + video_suffixes:
        known = ", ".join(ANIMATED_SUFFIXES + video_suffixes)
        raise InvalidInput(
            f"{source} is an animation of {stills.count} pictures, of which {target.name} can hold only one: name an "
            f"output that ends in one of {known}."
        )
    if not stills.animated and suffix not in IMAGE_SUFFIXES:
        fits = source.suffix.lower() if source.suffix.lower() in IMAGE_SUFFIXES else ".png"
        raise InvalidInput(
            f"Cannot write {target}: {source} is an image, so the output must end in one of "
            f"{', '.join(IMAGE_SUFFIXES)}. Name it {target.with_suffix(fits).name}, for example."
        )
    if not stills.animated and stills.count > 1 and suffix not in PAGED_SUFFIXES:
        raise InvalidInput(
            f"{source} holds {stills.count} pages, of which {target.name} can hold only the first: name the output "
            f"{target.with_suffix('.tif').name}."
        )


def folder_jobs(source: Path, target: Path) -> tuple[list[Job], int, int]:
    """The pictures of a folder and where they go; how many other files and how many sub-folders there are.

    Raises: SourceUnavailable: the folder cannot be read.
    """
    try:
        entries = sorted(source.iterdir())
    except OSError as error:
        raise SourceUnavailable(f"Cannot read folder {source}: {error.strerror}. Change its permissions.") from error
    folders = sum(entry.is_dir() for entry in entries)
    # A link that leads nowhere is a picture that is missing.
    files = [entry for entry in entries if entry.is_file() or (entry.is_symlink() and not entry.exists())]
    names = {entry.name for entry in files}
    jobs: list[Job] = []
    for entry in files:
        ending = entry.suffix.lower()
        if entry.name.startswith(".") or not (ending in IMAGE_SUFFIXES or is_picture(entry)):
            continue  # what macOS and programs put beside pictures starts with a dot
        if ending in IMAGE_SUFFIXES:
            name = entry.name
        else:
            made = ".jpg" if ending in _FROM_PHONES else ".png"
            name = entry.stem + made
            name = entry.name + made if name in names else name
        jobs.append(Job(entry, target / name))
    return jobs, len(files) - len(jobs), folders


def render_pictures(
    jobs: list[Job],
    opener: Callable[[Path], Stills],
    stylist: Stylist,
    *,
    transparency: Transparency,
    overwrite: bool,
    progress: Callable[[int], None],
) -> None:
    """Style picture files one after another; what cannot be read or encoded is noted in its job, and the rest is done.

    Raises: SinkUnavailable: nothing can be written; the first error of the style; KeyboardInterrupt.
    """
    items = _read_all(jobs, opener, transparency)
    done = 0

    def read() -> _Item:
        item = next(items, None)
        if item is None:
            raise EndOfStream("all pictures are read")
        return item

    def style(item: _Item) -> tuple[Job, bytes] | None:
        job, image, last = item
        if image is not None:
            job.images.append(_styled(image, stylist, job.target, told=bool(job.images)))
        if not last or job.failed is not None:
            return None
        try:
            encoded = encode_images(job.images, job.durations_s, job.target)
        except InvalidInput as error:
            job.failed = error
            return None
        job.images.clear()
        return job, encoded

    def write(made: tuple[Job, bytes] | None) -> None:
        nonlocal done
        if made is not None:
            writing.write(made[0].target, made[1], overwrite)
            done += 1
            progress(done)

    run_stages(read, style, write, lambda _count: None)


def _read_all(jobs: list[Job], opener: Callable[[Path], Stills], transparency: Transparency) -> Iterator[_Item]:
    for job in jobs:
        try:
            stills = opener(job.source)
        except (InvalidInput, SourceUnavailable) as error:
            job.failed = error
            yield job, None, True
            continue
        try:
            check_target(stills, job.source, job.target, ())
            job.kind = stills.kind
            pixels = 0
            for number in range(stills.count):
                still = stills.read(number)
                pixels += still.image.shape[0] * still.image.shape[1]
                if number and pixels > _MOST_PIXELS:
                    raise InvalidInput(
                        f"{job.source} has more than {_MOST_PIXELS // 10**6} million pixels in its {stills.count} "
                        "pictures, the most that go into one picture file. Render it to .mp4."
                    )
                job.durations_s.append(still.duration_s)
                yield job, _prepared(still.image, job, transparency, told=number > 0), number == stills.count - 1
        except (InvalidInput, SourceUnavailable) as error:
            job.failed = error
            yield job, None, True
        finally:
            stills.close()


def _prepared(image: NDArray[np.uint8], job: Job, transparency: Transparency, told: bool) -> NDArray[np.uint8]:
    """The picture with its transparency if that stays, else without."""
    if image.shape[2] == 3:
        return image
    if transparency == "auto" and keeps_alpha(job.kind, job.target):
        return image
    if transparency == "keep" and holds_alpha(job.target):
        return image
    if transparency == "auto" and holds_alpha(job.target) and not told:
        _log.warning("The transparency of %s lies on white now; --transparency keep keeps it.", job.source)
    return to_bgr(image, 0 if transparency == "black" else 255)


def _styled(image: NDArray[np.uint8], stylist: Stylist, target: Path, *, told: bool) -> NDArray[np.uint8]:
    """What the style cuts away is transparent where `target` can hold it; else it is green, and `told` of once."""
    drawn = stylist(image if image.shape[2] == 3 else visible_colours(image))
    if drawn.shape[2] == 4 and not holds_alpha(target):
        if not told:
            _log.warning("The room in %s is plain green, for it holds no transparency; .png and .webp do.", target)
        drawn = on_green(drawn)
    if image.shape[2] == 3:
        return drawn
    left = image[:, :, 3] if drawn.shape[2] == 3 else np.minimum(drawn[:, :, 3], image[:, :, 3])
    return np.dstack([drawn[:, :, :3], left])


def is_picture(path: Path) -> bool:
    """Whether a file holds pictures, and no video, by what is in it."""
    try:
        return kind_of(path) is Kind.PICTURE
    except LivefilterError:
        return False
