"""The report as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from livefilter.styles.card import Style
from livefilter.styles.network import SIZES
from tools.quality.cost import Costs
from tools.quality.flicker import NOISE_SIGMA
from tools.quality.plan import Plan
from tools.quality.style_quality import (
    NOISE,
    PHOTO,
    PLAIN_L1,
    TABLE,
    TABLE_TO_TARGET,
    TARGET,
    TEACHER,
    StyleQuality,
)

SHARES = ("pixels", "features", "lines", "flatness")
AIMS = {"lite": 0.35, "full": 0.5}
_ABSENT = "–"

_INTRODUCTION = """\
# Quality report

Written by `python -m tools.quality`; do not edit it by hand. All figures are of {held_out} photos at most, longest side
{longest} px, that no training run saw, and of {frames} frames in a row of each of {clips} clips.

**Share** is the part of the teacher's change that is captured, `1 - d(student, wanted) / d(photo, wanted)` with each d
averaged over the photos: 0 % is doing nothing, 100 % a perfect copy, below 0 further away than the photo. d is the root
mean square difference of

- **pixels**;
- **features**: the last activation of each resolution in the teacher's own encoder, each level divided by its root
  mean square in the wanted picture;
- **lines**: difference of Gaussians (0.9 and 2.0 px) of the brightness;
- **flatness**: standard deviation in windows of 7x7, away from the lines of the wanted picture.

Styles that take some hues from the photo have two tables. The first compares with **the teacher's own drawing**, the
second with **the target** of the training: the drawing in those hues (`livefilter/training/target.py`, and why:
[generator.md](generator.md)). A network that reached the target would not reach 100 % in the first table; the row *the
target itself* says what it would reach there. For the other styles the drawing is the target.

The rows: the **photo** itself; the best **colour table** for the style (17x17x17, least squares, fitted to photos that
are not measured on); a **plain L1 student**, where one was trained; the networks. PSNR and SSIM are means over the
photos.
"""


def write_report(
    path: Path, styles: Sequence[Style], found: Mapping[str, StyleQuality], costs: Costs, plan: Plan, machine: str
) -> None:
    """Write the report on these styles. `path`: its pictures are in a folder beside it of the same name."""
    clips = max(len(quality.flicker[PHOTO]) - 1 for quality in found.values())
    text = _INTRODUCTION.format(
        held_out=max(quality.photos for quality in found.values()),
        longest=plan.longest,
        frames=plan.clip_frames,
        clips=clips,
    )
    parts = [text, _overview(found), _costs(styles, costs, machine)]
    parts += [_style(found[style.name], f"{path.stem}/{style.name}.jpg") for style in styles]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(parts), encoding="utf-8", newline="\n")


def _overview(found: Mapping[str, StyleQuality]) -> str:
    rows = []
    for quality in found.values():
        goals = ("teacher", "target") if quality.has_own_target else ("teacher",)
        for size in [size for size in SIZES if size in quality.fidelity]:
            figures = quality.fidelity[size]
            flicker, noise = _against_teacher(quality, size)
            rows.append(
                [
                    quality.name,
                    size,
                    _shares(figures, "teacher"),
                    _shares(figures, "target") if quality.has_own_target else "the same",
                    f"{', '.join(f'{_least(figures, goal):.0%}' for goal in goals)} ({AIMS[size]:.0%})",
                    flicker,
                    noise,
                ]
            )
    head = ["style", "size", "of the teacher's change", "of the target's change", "least (aim)", "flicker", "noise"]
    return "\n".join(
        [
            "## At a glance",
            "",
            "Shares of pixels / features / lines / flatness; the least toward the teacher and, where that is",
            "something else, toward the target. Flicker on the clips and difference under camera noise are multiples",
            f"of the teacher's; aims: below 1, and 0.5 or less ({_ABSENT}: the teacher has no network, only drawings).",
            "",
            _table(head, rows),
        ]
    )


def _costs(styles: Sequence[Style], costs: Costs, machine: str) -> str:
    networks = [network for style in styles for network in style.networks.values()]
    timed = {(each.engine, each.width, each.height): None for one in costs.networks.values() for each in one}
    head = ["network", "MB", "parameters", "MAC a pixel"]
    head += [f"{engine} {width}x{height}, ms" for engine, width, height in timed]
    rows = []
    for network in networks:
        row = [network.label, f"{network.path.stat().st_size / 1e6:.2f}"]
        row += [f"{network.parameters:,}", f"{network.macs_per_pixel:,.0f}"]
        row += [f"{each.latency_ms:.1f} ({costs.times_faster(each):.0f}x)" for each in costs.networks[network.label]]
        rows.append(row)
    yardstick = [f"{each.latency_ms:,.0f}" for each in costs.animegan]
    rows.append(["[AnimeGANv2's generator](animegan.md)", _ABSENT, _ABSENT, _ABSENT, *yardstick])
    return "\n".join(
        [
            "## Cost",
            "",
            f"{machine}",
            "Medians. In brackets: how many times faster than AnimeGANv2's generator (the last row, random weights) in",
            "the same run on the same engine.",
            "",
            _table(head, rows),
        ]
    )


def _style(quality: StyleQuality, picture: str) -> str:
    names = {TABLE_TO_TARGET: TABLE}
    parts = [f"## {quality.title}", "", f"![livefilter's demo photo in {quality.title}]({picture})", ""]
    sizes = " and ".join(size for size in SIZES[::-1] if size in quality.fidelity)
    drawn = "the teacher, " if quality.has_teacher else ""
    parts += [f"The photo, {drawn}{sizes}. Teacher: {quality.teacher}; {quality.photos} photos."]
    if quality.encoder != quality.teacher:
        parts += [f"It has no network here, so the features are those of another one's encoder: {quality.encoder}."]
    tables = [("teacher", "Toward the teacher's own drawing", {TABLE_TO_TARGET})]
    if quality.has_own_target:
        tables.append(("target", "Toward the target of the training", {TABLE, TARGET}))
    else:
        tables[0][2].add(TARGET)
    for goal, title, left_out in tables:
        rows = []
        for name, figures in quality.fidelity.items():
            if name not in left_out:
                shares = [f"{figures[f'share_of_{goal}_{what}']:.0%}" for what in SHARES]
                values = [f"{figures[f'psnr_student_to_{goal}_db']:.1f}", f"{figures[f'ssim_student_to_{goal}']:.3f}"]
                rows.append([names.get(name, name), *shares, *values])
        if PLAIN_L1 not in quality.fidelity:
            rows.insert(2, [PLAIN_L1, "not trained", *[_ABSENT] * 5])
        parts += ["", f"### {title}", "", _table(["", *SHARES, "PSNR, dB", "SSIM"], rows)]
    return "\n".join([*parts, _flicker(quality)])


def _flicker(quality: StyleQuality) -> str:
    clips = [clip for clip in quality.flicker[PHOTO] if clip != NOISE]
    rows = []
    for artist, figures in quality.flicker.items():
        cells = [f"{figures[clip]:.2f}" for clip in clips]
        added = _ABSENT if artist == PHOTO else f"{quality.steadiness(artist):+.2f}"
        rows.append([artist, *cells, added, f"{figures[NOISE]:.2f}"])
    return "\n".join(
        [
            "",
            "### Flicker",
            "",
            "Mean difference in grey levels of each frame and the one before it, moved along the optical flow of the",
            "unstyled clip; *added* is styled minus unstyled, the mean of the clips. *Noise*: two drawings of one",
            f"still photo, each with fresh noise of {NOISE_SIGMA:.0f} levels.",
            "",
            _table(["", *clips, "added", "noise"], rows),
        ]
    )


def _against_teacher(quality: StyleQuality, size: str) -> tuple[str, str]:
    """Flicker and noise of a network as multiples of the teacher's."""
    if not quality.has_teacher:
        return _ABSENT, _ABSENT
    mine, other = quality.steadiness(size), quality.steadiness(TEACHER)
    # Where one of them adds nothing there is no multiple to speak of.
    flicker = f"{mine / other:.2f}" if min(mine, other) > 0 else f"{mine:+.2f} for {other:+.2f}"
    return flicker, f"{quality.flicker[size][NOISE] / quality.flicker[TEACHER][NOISE]:.2f}"


def _shares(figures: Mapping[str, float], goal: str) -> str:
    return " / ".join(f"{figures[f'share_of_{goal}_{what}']:.0%}" for what in SHARES)


def _least(figures: Mapping[str, float], goal: str) -> float:
    return min(figures[f"share_of_{goal}_{what}"] for what in SHARES)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"
