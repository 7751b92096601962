"""The report as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from livefilter.styles.card import Style
from livefilter.styles.network import SIZES, Network
from tools.quality.cost import Costs
from tools.quality.expression import NARROWEST
from tools.quality.flicker import NOISE_SIGMA
from tools.quality.plan import Plan
from tools.quality.style_quality import ALONE, ANIMEGAN, CHAIN, KINDS, LIVE_NOISE, NOISE, PHOTO, StyleQuality

SHARES = ("pixels", "features", "lines", "flatness")
# What is aimed at: of the chain's score and change; correlation of eyes and mouth.
SCORE_AIMS = {"lite": 0.85, "full": 0.95}
SHARE_AIMS = {"lite": 0.35, "full": 0.5}
EXPRESSION_AIMS = {"lite": 0.7, "full": 0.8}
CHAIN_AIM = 0.75
_ABSENT = "–"

_INTRODUCTION = """\
# Quality report

Written by `python -m tools.quality`; do not edit it by hand. Photos that no training run saw, {faces} with a wide
face and {scenes} others, at the size at which chains draw (longest side 256 to 640 px); {clips} clips, of most of
which training saw some frames. A style's **chain** is what drew for its training: published generators and filters
in a row, listed in the recipe beside the style's card. **Bold** is what misses its aim.
"""

_SCORE = """\
## Anime score

The mean probability of "drawing" that a judge gives, seen with 360 px: a small network that learned to tell anime
frames and faces from photos and webcam frames, at equal sizes and JPEG quality, and had no part in training.
{judge} Aims: a chain {chain:.2f}; lite {lite:.0%} and full {full:.0%} of its chain's score, in brackets.
"""

_SHARE = """\
## Share of the chain's change

`1 - d(network, chain) / d(photo, chain)`, each d averaged over the photos: 0 % is doing nothing, 100 % a perfect
copy, below 0 further away than the photo. d is the root mean square difference of pixels; of features (the last
activation of each resolution in the encoder of the chain's first generator, each level divided by its root mean
square); of lines (difference of Gaussians, 0.9 and 2.0 px, of the brightness); of flatness (standard deviation in
windows of 7x7, away from the chain's lines). Aims: lite {lite:.0%}, full {full:.0%}, each measure.
"""

_EXPRESSION = """\
## Expression

Correlation of how wide eyes and mouth are open, in frames of the clips and in their drawings, by MediaPipe's face
landmarks; each clip's mean is taken off. {frames:.0f} frames with a face of {narrowest:.0f} px or more; *found* is
the share of drawings in which the landmarks find the face. The chain draws these frames as it drew for training.
Aims: lite {lite}, full {full}.
"""

_FLICKER = """\
## Flicker and noise

Mean difference in grey levels of each frame and the one before it, moved along the optical flow of the unstyled
clip, as a live run shows them, steadied where the scene stands still; *added* is styled minus unstyled, the mean of
the clips: 0 or less is the photo's own; *alone* is that without the steadying. *Noise*: two drawings of one still
photo, each with fresh noise of {noise:.0f} levels; *live*: what is left of that in a live run. Aims: nothing added;
half of the chain's noise.
"""


def write_report(
    path: Path,
    styles: Sequence[Style],
    found: Mapping[str, StyleQuality],
    costs: Costs,
    judge: Mapping[str, Any],
    plan: Plan,
    machine: str,
) -> None:
    """Write the report on these styles.

    path: its pictures are in a folder beside it of the same name. judge: facts that its file keeps; none without one.
    """
    any_one = next(iter(found.values()))
    parts = [_INTRODUCTION.format(**any_one.photos, clips=len(any_one.flicker[PHOTO]) - 1)]
    parts += [_scores(found, judge), _shares(found), _expressions(found), _flickers(found)]
    parts += [_costs(styles, costs, plan, machine)]
    parts += [_style(found[style.name], f"{path.stem}/{style.name}.jpg", plan) for style in styles]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(parts), encoding="utf-8", newline="\n")


def _sizes(quality: StyleQuality) -> list[str]:
    return [size for size in SIZES if size in quality.fidelity]


def _aimed(text: str, reached: bool) -> str:
    return text if reached else f"**{text}**"


def _scores(found: Mapping[str, StyleQuality], judge: Mapping[str, Any]) -> str:
    if not judge:
        return "## Anime score\n\nNot measured: no `--judge` was given.\n"
    errors = "; ".join(
        f"{kind}: {facts['error']:.1%} wrong, photos {facts['photo']:.2f}, drawings {facts['drawing']:.2f} "
        f"({facts['photos']} and {facts['drawings']})"
        for kind, facts in judge.get("figures", {}).items()
    )
    told = f"On pictures and sources kept apart: {errors}."
    rows: list[list[str]] = []
    for quality in found.values():
        for artist in [PHOTO, ANIMEGAN, CHAIN, *_sizes(quality)]:
            cells = [_score(quality.scores[kind], artist) for kind in KINDS if kind in quality.scores]
            same_for_all = artist in (PHOTO, ANIMEGAN)
            if cells[0] != _ABSENT and not (same_for_all and any(row[0] == artist for row in rows)):
                rows.append([artist if same_for_all else f"{quality.name}, {artist}", *cells])
    kinds = [kind for kind in KINDS if any(kind in quality.scores for quality in found.values())]
    text = _SCORE.format(judge=told, chain=CHAIN_AIM, **SCORE_AIMS)
    return f"{text}\n{_table(['', *kinds], rows)}"


def _score(scores: Mapping[str, float], artist: str) -> str:
    if artist not in scores:
        return _ABSENT
    value = scores[artist]
    if artist == CHAIN:
        return _aimed(f"{value:.2f}", value >= CHAIN_AIM)
    if artist in SCORE_AIMS:
        part = value / max(scores[CHAIN], 1e-6)
        return _aimed(f"{value:.2f} ({part:.0%})", part >= SCORE_AIMS[artist])
    return f"{value:.2f}"


def _shares(found: Mapping[str, StyleQuality]) -> str:
    rows = []
    for quality in found.values():
        for size in _sizes(quality):
            shares = [quality.fidelity[size][f"share_of_target_{what}"] for what in SHARES]
            cells = [_aimed(f"{share:.0%}", share >= SHARE_AIMS[size]) for share in shares]
            psnr = f"{quality.fidelity[size]['psnr_student_to_target_db']:.1f}"
            rows.append([f"{quality.name}, {size}", *cells, psnr])
    return f"{_SHARE.format(**SHARE_AIMS)}\n{_table(['', *SHARES, 'PSNR, dB'], rows)}"


def _expressions(found: Mapping[str, StyleQuality]) -> str:
    measured = [quality for quality in found.values() if quality.expression]
    if not measured:
        return "## Expression\n\nNot measured: no `--landmarks-python` was given.\n"
    rows = []
    for quality in measured:
        for artist, figures in quality.expression.items():
            aim = EXPRESSION_AIMS.get(artist, 0.0)
            cells = [_aimed(f"{figures[part]:.2f}", figures[part] >= aim) for part in ("eyes", "mouth")]
            rows.append([f"{quality.name}, {artist}", *cells, f"{figures['found']:.0%}"])
    frames = next(iter(measured[0].expression.values()))["frames"]
    text = _EXPRESSION.format(frames=frames, narrowest=NARROWEST, **EXPRESSION_AIMS)
    return f"{text}\n{_table(['', 'eyes', 'mouth', 'found'], rows)}"


def _flickers(found: Mapping[str, StyleQuality]) -> str:
    any_one = next(iter(found.values()))
    clips = [clip for clip in any_one.flicker[PHOTO] if clip != NOISE]
    rows = [
        [
            PHOTO,
            *[f"{any_one.flicker[PHOTO][clip]:.2f}" for clip in clips],
            *[_ABSENT] * 2,
            _noise(any_one, PHOTO),
            _ABSENT,
        ]
    ]
    for quality in found.values():
        rows.append([f"{quality.name}, {CHAIN}", *[_ABSENT] * (len(clips) + 2), _noise(quality, CHAIN), _ABSENT])
        for size in _sizes(quality):
            cells = [f"{quality.flicker[size][clip]:.2f}" for clip in clips]
            added = quality.steadiness(size)
            told = _aimed(f"{added:+.2f}", added < 0.005)
            alone = f"{quality.flicker[size][ALONE]:+.2f}"
            noise = [_noise(quality, size), _noise(quality, size, LIVE_NOISE)]
            rows.append([f"{quality.name}, {size}", *cells, told, alone, *noise])
    return f"{_FLICKER.format(noise=NOISE_SIGMA)}\n{_table(['', *clips, 'added', 'alone', 'noise', 'live'], rows)}"


def _noise(quality: StyleQuality, artist: str, kind: str = NOISE) -> str:
    value = quality.flicker[artist][kind]
    if artist in (PHOTO, CHAIN):
        return f"{value:.2f}"
    part = value / max(quality.flicker[CHAIN][NOISE], 1e-6)
    return _aimed(f"{value:.2f} ({part:.0%})", part <= 0.5)


def _costs(styles: Sequence[Style], costs: Costs, plan: Plan, machine: str) -> str:
    networks = [network for style in styles for network in style.networks.values()]
    timed = {(each.engine, each.width, each.height): None for one in costs.networks.values() for each in one}
    head = ["network", "MB (+ INT8)", "parameters", "MAC a pixel"]
    head += [f"{engine} {width}x{height}, ms" for engine, width, height in timed]
    rows = []
    for network in networks:
        row = [network.label, " + ".join(f"{path.stat().st_size / 1e6:.2f}" for path in _files(network))]
        row += [f"{network.parameters:,}", f"{network.macs_per_pixel:,.0f}"]
        for each in costs.networks[network.label]:
            times = costs.times_faster(each)
            row.append(f"{each.latency_ms:.1f} ({times:.0f}x)" if times else f"{each.latency_ms:.1f}")
        rows.append(row)
    yardstick = [
        next((f"{one.latency_ms:,.0f}" for one in costs.animegan if one.like(each)), _ABSENT)
        for each in next(iter(costs.networks.values()))
    ]
    rows.append(["[AnimeGANv2's generator](animegan.md)", _ABSENT, _ABSENT, _ABSENT, *yardstick])
    weights = "Hayao's published weights" if plan.animegan else "random weights"
    return "\n".join(
        [
            "## Cost",
            "",
            f"{machine}",
            "Medians, in turns. In brackets: how many times faster than AnimeGANv2's generator (the last row,",
            f"{weights}) in the same run on the same backend.",
            "",
            _table(head, rows),
        ]
    )


def _files(network: Network) -> list[Path]:
    return [network.path, *([network.int8_path] if network.int8_path is not None else [])]


def _style(quality: StyleQuality, picture: str, plan: Plan) -> str:
    names = ["the photo", "the chain", *_sizes(quality)[::-1], *(["AnimeGANv2 Hayao"] if plan.animegan else [])]
    shown = f"{', '.join(names[:-1])} and {names[-1]}"
    return "\n".join(
        [
            f"## {quality.title}",
            "",
            f"![livefilter's demo photo in {quality.title}]({picture})",
            "",
            f"{shown[0].upper()}{shown[1:]}. Generators of the chain: {quality.chain}.",
            "",
        ]
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"
