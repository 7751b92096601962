"""How good the pictures round the joins of a cut film are: their PSNR against what was styled, beside an uncut film's.

python -m tools.scale.joins FILM.mp4 FOLDER CUT_S [STYLE [SIZE]]: styles FILM whole, without loss, and in parts that are
joined, each with the codec of every render but the second one, and prints the rows of docs/scale.md.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np

from livefilter.cluster.look import file_facts
from livefilter.cluster.segments import join_segments, style_segment
from livefilter.config import Config
from livefilter.live.configured_stylist import ConfiguredStylist
from livefilter.live.open_files import file_openers
from livefilter.output.video import encoders
from livefilter.output.video.encoders import Container
from livefilter.render import render_path

_OFFSETS = range(-4, 5)
# The middle of a part: so many pictures from any join.
_FAR = 24


def planes(path: Path) -> Iterator[Any]:
    """The brightness of each picture, (H, W) float."""
    container: Any
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray()[: frame.height].astype(np.float64)


def psnr(made: Path, meant: Path) -> list[float]:
    """Of each picture, in dB."""
    errors = [float(np.mean((one - two) ** 2)) for one, two in zip(planes(made), planes(meant), strict=True)]
    return [10 * float(np.log10(255**2 / max(error, 1e-6))) for error in errors]


def cut(film: Path, target: Path, cut_s: float, stylist: ConfiguredStylist) -> list[int]:
    """Style a film in parts and join them; the number of the first picture of each part but the first."""
    openers = file_openers(encoder_threads=1)
    spans = file_facts(film, cut_s).spans
    parts = [target.with_name(f"part-{place}{target.suffix}") for place in range(len(spans))]
    lasts_s = 0.0
    for span, part in zip(spans, parts, strict=True):
        lasts_s = style_segment(film, span, part, stylist, openers, lambda done: None).last_lasts_s
    join_segments(film, parts, target, "default", lasts_s, lambda done: None)
    return [int(place) for place in np.cumsum([span.frames for span in spans])[:-1]]


def row(what: str, pictures: Sequence[int], joined: Sequence[float], whole: Sequence[float]) -> None:
    """One line of the table."""
    one, two = ([values[number] for number in pictures] for values in (joined, whole))
    figures = [len(pictures), *(f"{of(values):.2f}" for of in (np.mean, np.min) for values in (one, two))]
    sys.stdout.write(f"| {what} | {' | '.join(map(str, figures))} |\n")


def main() -> None:
    """Style three times, and compare."""
    film, folder, cut_s = Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])
    style, size = (*sys.argv[4:], *("hayao", "360")[len(sys.argv) - 4 :])[:2]
    folder.mkdir()
    joined, whole, meant = (folder / f"{name}{film.suffix}" for name in ("joined", "whole", "meant"))
    with ConfiguredStylist(Config(style=style, process_size=int(size), threads=1)) as stylist:
        openers = file_openers(encoder_threads=1)
        render_path(film, whole, stylist, openers, report=lambda done, total: None)
        joins = cut(film, joined, cut_s, stylist)
        usual = encoders.FILES[film.suffix]
        exact = {"preset": "ultrafast", "qp": "0"}
        encoders.FILES[film.suffix] = Container(
            usual.name, codec_options=exact, container_options=usual.container_options
        )
        render_path(film, meant, stylist, openers, report=lambda done, total: None)
    of_joined, of_whole = psnr(joined, meant), psnr(whole, meant)
    sys.stdout.write(
        f"{len(of_joined)} pictures, {len(joins)} joins, {joined.stat().st_size / whole.stat().st_size:.3f}\n"
    )
    for offset in _OFFSETS:
        row(f"{offset:+d}" if offset else "the join", [at + offset for at in joins], of_joined, of_whole)
    edges = [0, *joins, len(of_joined)]
    far = [number for number in range(len(of_joined)) if all(abs(number - edge) > _FAR for edge in edges)]
    row(f"more than {_FAR} away", far, of_joined, of_whole)


if __name__ == "__main__":
    main()
