"""Make the whole report, from folders to Markdown and pictures."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import psutil

from livefilter.errors import InvalidInput
from livefilter.frame import Image
from livefilter.inference.hardware import describe_cpu, usable_cores
from livefilter.styles.card import Style
from livefilter.training.card import STYLES
from tools.quality.cost import measure_costs
from tools.quality.drawing import NetworkDrawing
from tools.quality.encoder import Encoder
from tools.quality.markdown import write_report
from tools.quality.material import Material, gather, teacher_path
from tools.quality.plan import Plan
from tools.quality.sheets import write_sheet
from tools.quality.style_quality import StyleQuality, measure_style

_log = logging.getLogger(__name__)

_ROWS_A_SHEET = 6
_TILE, _PUBLISHED_TILE = 480, 320


def make_report(
    plan: Plan, styles: Sequence[Style], plain_l1: Mapping[str, Style], path: Path, told: Callable[[str], None]
) -> None:
    """Measure every style whose teacher is known and write the report to `path`, its pictures beside it.

    Only livefilter's own demo photo is shown there; sheets with the measured photos go to `plan.out`. A style that was
    measured before, with the same networks and amounts, is not measured again.

    Args:
        plan: folders and amounts.
        styles: of a catalogue; those that were not trained here are left out.
        plain_l1: by style, a style of that name whose network was trained with nothing but L1.
        path: the Markdown file.
        told: hears of each step.

    Raises:
        InvalidInput: photos, clips, teachers or drawings are missing. StyleCorrupt: a network is.
    """
    trained = [style for style in styles if style.name in STYLES]
    if not trained:
        raise InvalidInput(f"None of the styles here was trained by livefilter. Known: {', '.join(STYLES)}.")
    for network in [network for style in trained for network in style.networks.values()]:
        network.verify()
    found: dict[str, StyleQuality] = {}
    for style in trained:
        told(f"{style.name}: reading photos and the teacher's drawings")
        material = gather(style.name, STYLES[style.name], plan)
        found[style.name] = _measured(style, material, plain_l1.get(style.name), plan, told)
        _write_sheets(style, material, plan, path.parent / path.stem / f"{style.name}.jpg")
    told("timing the networks")
    load = psutil.getloadavg()[0]
    networks = [network for style in trained for network in style.networks.values()]
    costs = measure_costs(networks, material.demo[0], plan.out, plan.timed_runs)
    machine = f"{describe_cpu(usable_cores())}; {load:.1f} processes were running (load average) when it began."
    write_report(path, trained, found, costs, plan, machine)


def _measured(
    style: Style, material: Material, plain_l1: Style | None, plan: Plan, told: Callable[[str], None]
) -> StyleQuality:
    """Take up the result of an earlier run, or measure."""
    teacher = _encoder_of(style, plan)
    plain = next(iter(plain_l1.networks.values())) if plain_l1 else None
    checksums = [network.sha256 for network in (*style.networks.values(), *([plain] if plain else []))]
    key = plan.key(*checksums, teacher.name)
    file = plan.out / f"{style.name}.json"
    known = StyleQuality.load(file, key)
    if known:
        told(f"{style.name}: measured before, see {file}")
        return known
    told(f"{style.name}: measuring on {len(material.held_out)} photos and {len(material.clips)} clips")
    quality = measure_style(key, style, material, Encoder(teacher), teacher.stem, plain.path if plain else None, plan)
    quality.save(file)
    return quality


def _encoder_of(style: Style, plan: Plan) -> Path:
    """The file of the style's teacher or, where there is none, of the first other one's."""
    for facts in (STYLES[style.name], *STYLES.values()):
        path = teacher_path(facts, plan)
        if path:
            return path
    raise InvalidInput(f"The folder {plan.teachers} holds no teacher: {', '.join(f.teacher for f in STYLES.values())}.")


def _write_sheets(style: Style, material: Material, plan: Plan, published: Path) -> None:
    with ExitStack() as opened:
        sizes = {
            size: opened.enter_context(NetworkDrawing(style.networks[size].path))
            for size in ("full", "lite")
            if size in style.networks
        }

        def row(photo: Image, drawing: Image | None) -> dict[str, Image]:
            shown = {"photo": photo} if drawing is None else {"photo": photo, "teacher": drawing}
            return shown | {size: draw(photo) for size, draw in sizes.items()}

        write_sheet(published, [row(*material.demo)], _PUBLISHED_TILE, 88)
        firsts = [(clip, frames[0], material.drawn.get(clip, [None])[0]) for clip, frames in material.clips.items()]
        rows = [row(frame, drawing) for _, frame, drawing in firsts]
        write_sheet(plan.out / "sheets" / f"{style.name}-clips.jpg", rows, _TILE, 92)
        for number, first in enumerate(range(0, len(material.held_out), _ROWS_A_SHEET), 1):
            pairs = material.held_out[first : first + _ROWS_A_SHEET]
            rows = [row(pair.photo, pair.drawing) for pair in pairs]
            write_sheet(plan.out / "sheets" / f"{style.name}-photos-{number}.jpg", rows, _TILE, 92)
