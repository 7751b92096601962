"""The figures as Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from livefilter.control.parts import RAW
from tools.person.cost import ROOMS, Cost
from tools.person.figures import Figures, Score

# What is aimed at.
OVERLAP, FLICKER, COST = 0.90, 0.005, 0.12
_NONE = "–"

_INTRODUCTION = """\
# Masks of people: figures

Written by `python -m tools.person`; do not edit it by hand. The teacher is MediaPipe's selfie segmentation; what a mask
is measured on is the one at the picture's full size, cut in two at a half. Photos are those that training left out,
*dark* the same with a quarter of the light and noise;
of a clip in **bold** training has seen nothing, of the others some frames. The network's file has {size:.2f} MB.

*IoU*: intersection over union with the teacher's mask, aim {overlap:.2f}. *Edges*: the F-score of the two masks' edges,
which count where the other's is within 0.8 % of the picture's diagonal. *False alarm*: the share of pixels called a
person where the teacher, or a finder of faces, finds nobody. *Flicker*: the share of pixels that change sides from
frame to frame of a still scene with the noise of a camera, aim {flicker:.1%}; *live*: the same as a live run shows it,
with the mask kept still where the scene is.

| what | pictures | IoU | median | edges | false alarm | flicker | live |
|---|---|---|---|---|---|---|---|
"""

# A lower correlation says nothing about time.
_TELLS = 0.1
_LAG = """
## Lag

By how many frames the mask comes after the picture: where the correlation of what changes in the two from frame to
frame is highest, of shifts by up to three frames either way. Clips in which somebody moves.

| clip | lag | correlation there | one frame late | one early |
|---|---|---|---|---|
"""

_COST = """
## Cost

Frames of 1280x720 in a style, and what each room adds to one: finding and bending, on a thread of its own while the
style draws, and composing. Medians, side by side in one process. Aim: {cost:.0%} of the frame. *In turn*: a raw room
where people are found once the style has drawn, on as many threads. *Processor*: what a raw
room adds to the processor time of all threads, which is what it costs where no core is free.

| backend | threads | style drawn at | frame | {rooms} | in turn | processor |
|---|---|---|---|{lines}---|---|
"""


def markdown(figures: Figures, unseen: Sequence[str]) -> str:
    """The whole report. unseen: clips that training has seen nothing of."""
    parts = [_INTRODUCTION.format(size=figures.size / 1e6, overlap=OVERLAP, flicker=FLICKER)]
    for group in figures.groups:
        name = f"**{group}**" if group in unseen else group
        parts.append(_group(name, figures.scores[group], figures.flicker[group]))
    parts.append(_LAG)
    for clip, (late, found) in figures.lags.items():
        if found[late] < _TELLS:
            continue
        beside = [f"{found[near]:.2f}" if near in found else _NONE for near in (late, late + 1, late - 1)]
        parts.append(f"| {clip} | {late} | {' | '.join(beside)} |\n")
    if figures.costs:
        parts.append(_COST.format(cost=COST, rooms=" | ".join(ROOMS), lines="---|" * len(ROOMS)))
        parts += [_cost(cost) for cost in figures.costs]
    return "".join(parts)


def _group(name: str, scores: Sequence[Score], flicker: tuple[float, float]) -> str:
    overlaps = [score.overlap for score in scores if score.overlap is not None]
    edges = [score.edges for score in scores if score.edges is not None]
    alarms = [score.alarm for score in scores if score.alarm is not None]
    cells = [
        f"{statistics.mean(overlaps):.2f}" if overlaps else _NONE,
        f"{statistics.median(overlaps):.2f}" if overlaps else _NONE,
        f"{statistics.mean(edges):.2f}" if edges else _NONE,
        f"{statistics.mean(alarms):.1%}" if alarms else _NONE,
        *(f"{share:.2%}" for share in flicker),
    ]
    return f"| {name} | {len(scores)} | {' | '.join(cells)} |\n"


def _cost(cost: Cost) -> str:
    added = [f"{cost.added_ms[room]:.1f} ms, {cost.share(room):.0%}" for room in ROOMS]
    added.append(f"{cost.in_turn_ms:.1f} ms, {cost.in_turn_ms / cost.alone_ms:.0%}")
    at = f"{cost.process_size} px"
    # Engines of several threads wait by computing.
    processor = f"{cost.processor_ms[RAW]:.1f} ms" if cost.threads == 1 else _NONE
    return f"| {cost.backend} | {cost.threads} | {at} | {cost.alone_ms:.1f} ms | {' | '.join(added)} | {processor} |\n"
