"""Make the whole report, from folders to Markdown and pictures."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import psutil

from livefilter.bench.animegan import FILE, write_animegan
from livefilter.errors import InvalidInput
from livefilter.frame import Image
from livefilter.generator.animegan_export import export
from livefilter.inference.hardware import describe_cpu, usable_cores
from livefilter.styles.card import Style
from livefilter.training.recipe import read_recipe, trainable_styles
from tools.quality.animegan import published_weights
from tools.quality.cost import measure_costs
from tools.quality.drawing import NetworkDrawing
from tools.quality.judge.scoring import Judge
from tools.quality.markdown import write_report
from tools.quality.material import Draw, KeptDrawings, Material, gather, steps_key
from tools.quality.plan import Plan
from tools.quality.sheets import write_sheet
from tools.quality.style_quality import ANIMEGAN, CHAIN, KINDS, PHOTO, StyleQuality, measure_style

_ROWS_A_SHEET = 7
_TILE, _PUBLISHED_TILE = 400, 300


def make_report(plan: Plan, styles: Sequence[Style], path: Path, told: Callable[[str], None]) -> None:
    """Measure every style that livefilter trained and write the report to `path`, its pictures beside it.

    Only livefilter's own demo photo is shown there; sheets with the measured photos go to `plan.out`. A style that was
    measured before, with the same networks, recipe and amounts, is not measured again.

    Args:
        plan: folders and amounts.
        styles: of a catalogue; those that were not trained here are left out.
        path: the Markdown file.
        told: hears of each step.

    Raises: InvalidInput: photos, clips, teachers or drawings are missing. StyleCorrupt: a network is.
    """
    known = trainable_styles()
    trained = [style for style in styles if style.name in known]
    if not trained:
        raise InvalidInput(f"None of the styles here was trained by livefilter. Known: {', '.join(known)}.")
    networks = [network for style in trained for network in style.networks.values()]
    for network in networks:
        network.verify()
    judge = Judge.load(plan.judge) if plan.judge else None
    animegan = _write_animegan(plan)
    found: dict[str, StyleQuality] = {}
    with NetworkDrawing(animegan) as network_drawing:
        checksum = hashlib.sha256(animegan.read_bytes()).hexdigest()[:10]
        kept = KeptDrawings(network_drawing, plan.out / "drawings" / f"animegan-{checksum}")
        published = kept if plan.animegan else None
        for style in trained:
            told(f"{style.name}: reading photos and the chain's drawings")
            material = gather(style.name, plan)
            found[style.name] = _measured(style, material, judge, published, plan, told)
            _write_sheets(style, material, published, plan, path.parent / path.stem / f"{style.name}.jpg")
    told("timing the networks")
    load = psutil.getloadavg()[0]
    costs = measure_costs(networks, material.demo, animegan, plan.timed_rounds)
    machine = f"{describe_cpu(usable_cores())}; {load:.1f} processes were running (load average) when it began."
    write_report(path, trained, found, costs, judge.facts if judge else {}, plan, machine)


def _write_animegan(plan: Plan) -> Path:
    """AnimeGANv2's generator as a network like livefilter's own, with published weights where there are any."""
    path = plan.out / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    if plan.animegan is None:
        return write_animegan(path)
    export(published_weights(plan.animegan), path)
    return path


def _measured(
    style: Style,
    material: Material,
    judge: Judge | None,
    animegan: Draw | None,
    plan: Plan,
    told: Callable[[str], None],
) -> StyleQuality:
    """Take up the result of an earlier run, or measure."""
    checksums = [network.sha256 for network in style.networks.values()]
    key = plan.key(*checksums, steps_key(read_recipe(style.name)))
    file = plan.out / f"{style.name}.json"
    known = StyleQuality.load(file, key)
    if known:
        told(f"{style.name}: measured before, see {file}")
        return known
    told(f"{style.name}: measuring on {len(material.pairs)} photos and {len(material.rows)} clips")
    quality = measure_style(key, style, material, judge, animegan, plan)
    quality.save(file)
    return quality


def _write_sheets(style: Style, material: Material, animegan: Draw | None, plan: Plan, published: Path) -> None:
    with ExitStack() as opened:
        files = {size: style.networks[size].path for size in ("full", "lite") if size in style.networks}
        draws: dict[str, Draw] = {name: opened.enter_context(NetworkDrawing(file)) for name, file in files.items()}
        draws |= {ANIMEGAN: animegan} if animegan else {}

        def row(photo: Image, drawing: Image | None) -> dict[str, Image]:
            shown = {PHOTO: photo} if drawing is None else {PHOTO: photo, CHAIN: drawing}
            return shown | {name: draw(photo) for name, draw in draws.items()}

        write_sheet(published, [row(material.demo, material.chain(material.demo))], _PUBLISHED_TILE, 88)
        folder = plan.out / "sheets"
        rows = [row(frames[0], None) for frames in material.rows.values()]
        write_sheet(folder / f"{style.name}-clips.jpg", rows, _TILE, 92)
        for kind in KINDS:
            pairs = material.of_kind(kind)
            for number, first in enumerate(range(0, len(pairs), _ROWS_A_SHEET), 1):
                rows = [row(pair.photo, pair.target) for pair in pairs[first : first + _ROWS_A_SHEET]]
                write_sheet(folder / f"{style.name}-{kind}-{number}.jpg", rows, _TILE, 92)
