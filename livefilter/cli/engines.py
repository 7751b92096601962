"""livefilter engines: look after the built TensorRT engines."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from livefilter.cli.console import open_console, print_table
from livefilter.cli.options import config_from, config_options
from livefilter.errors import BackendUnavailable, InvalidInput
from livefilter.inference.cuda import open_cuda
from livefilter.styles.catalogue import Catalogue
from livefilter.tensorrt.compatibility import why_stale
from livefilter.tensorrt.flavour import get_flavour
from livefilter.tensorrt.inspector import inspect_plan
from livefilter.tensorrt.sidecar import Sidecar
from livefilter.tensorrt.store import EngineStore, StoredEngine, engines_folder

_folder = click.option(
    "--engines", type=click.Path(path_type=Path), help="Folder of built engines.  [env: LIVEFILTER_ENGINES]"
)
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")


@click.group()
def engines() -> None:
    """List, inspect and prune the TensorRT engines that were built on this machine."""


@engines.command("list")
@_folder
@_json
def list_engines(engines: Path | None, as_json: bool) -> None:
    """List the engines, and say which can still be used."""
    store = EngineStore(engines_folder(engines))
    found = [(engine, fault_of(engine, _networks())) for engine in store.engines()]
    if as_json:
        print(json.dumps([_facts(engine, fault) for engine, fault in found], indent=2))
        return
    console = open_console()
    if not found:
        console.print(f"No engines in {escape(str(store.folder))}. Build one: livefilter build hayao", soft_wrap=True)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("Id", "Style", "Size", "Flavour", "Precision", "GPU", "Built", "MB", "State"):
        table.add_column(title, overflow="fold")
    for engine, fault in found:
        state = "[green]good[/]" if fault is None else "[red]not used[/]"
        table.add_row(engine.plan_path.stem[-16:][:8], *(escape(cell) for cell in _cells(engine.sidecar)), state)
    print_table(console, table)
    for engine, fault in found:
        if fault is not None:
            console.print(f"{escape(engine.plan_path.name)}: {escape(fault)}.", soft_wrap=True)


@engines.command(short_help="Show an engine's sidecar and layers.")
@click.argument("name")
@_folder
@config_options("gpu")
@_json
def inspect(
    name: str, engines: Path | None, config: Path | None, profile: str | None, as_json: bool, **flags: Any
) -> None:
    """Show an engine's sidecar and layers; NAME is an engine's id, a style, or the beginning of a file name.

    The layers are those that TensorRT has when the GPU of --gpu, or of the settings, loads the engine.
    """
    settings = config_from(config, profile, flags)
    store = EngineStore(engines_folder(engines))
    engine = _find(store, name)
    sidecar = engine.sidecar
    if engine.fault or sidecar is None:
        raise InvalidInput(f"{engine.plan_path} is not loaded, because {engine.fault}. Build it again.")
    layers: list[dict[str, Any]] = []
    note = asked = ""
    try:
        plan, _ = store.load(sidecar.key)
        asked, found = inspect_plan(
            get_flavour(sidecar.key.flavour), plan, settings.gpu, lambda gpu: open_cuda(gpu, settings.cuda)
        )
        note = f"Layers on {asked}:"
        layers = [{"name": f.name, "type": f.kind, "inputs": f.inputs, "outputs": f.outputs} for f in found]
    except BackendUnavailable as error:
        note = f"{error} These are the layers of the network it was built from, before TensorRT fused them."
        layers = [dict(layer) for layer in sidecar.layers]
    if as_json:
        print(
            json.dumps(
                _facts(engine, None)
                | {"check": [dict(c) for c in sidecar.check], "layers_on": asked or None, "layers": layers},
                indent=2,
            )
        )
        return
    console = open_console()
    for key, value in _facts(engine, fault_of(engine, _networks())).items():
        console.print(f"[bold]{key:<16}[/] {escape(str(value))}", soft_wrap=True)
    for check in sidecar.check:
        shown = f"{check['psnr_db']:.1f} dB, {check['levels_p99_9']:.0f} levels at 99.9 %, {check['picture']}"
        console.print(f"[bold]{'FP16 check':<16}[/] {escape(shown)}", soft_wrap=True)
    _show_layers(console, layers, note)


@engines.command(short_help="Remove engines that can no longer be used.")
@_folder
@click.option("--all", "everything", is_flag=True, help="Remove the good ones, too.")
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
def prune(engines: Path | None, everything: bool, dry_run: bool) -> None:
    """Remove engines that can no longer be used, and what killed builds have left."""
    store = EngineStore(engines_folder(engines))
    word = "Would remove" if dry_run else "Removed"
    count, networks = 0, _networks()
    for engine in store.engines():
        fault = fault_of(engine, networks)
        if fault is None and not everything:
            continue
        if not dry_run:
            store.remove(engine)
        count += 1
        click.echo(f"{word} {engine.plan_path.name}: {fault or 'asked for'}")
    for path in store.litter():
        if not dry_run:
            path.unlink(missing_ok=True)
        count += 1
        click.echo(f"{word} {path.name}: a build was cut off")
    if not count:
        click.echo(f"Nothing to remove in {store.folder}.")


def fault_of(engine: StoredEngine, networks: dict[str, str]) -> str | None:
    """Why an engine is not used any more; None when it is."""
    if engine.fault or engine.sidecar is None:
        return engine.fault or "it has no sidecar"
    return why_stale(engine.sidecar, networks)


def _networks() -> dict[str, str]:
    return {network.label: network.sha256 for style in Catalogue().styles for network in style.networks.values()}


def _find(store: EngineStore, name: str) -> StoredEngine:
    stem = Path(name).name.removesuffix(".plan").removesuffix(".json")
    found = []
    for engine in store.engines():
        style = engine.sidecar.style if engine.sidecar else ""
        if style == name or engine.plan_path.stem.startswith(stem) or engine.plan_path.stem[-16:].startswith(stem):
            found.append(engine)
    if not found:
        raise InvalidInput(f"No engine {name!r} in {store.folder}. See them: livefilter engines list")
    if len(found) > 1:
        names = ", ".join(engine.plan_path.stem for engine in found)
        raise InvalidInput(f"{name!r} names {len(found)} engines. Choose one: {names}")
    return found[0]


def _facts(engine: StoredEngine, fault: str | None) -> dict[str, Any]:
    facts: dict[str, Any] = {"file": str(engine.plan_path), "state": fault or "good"}
    sidecar = engine.sidecar
    if sidecar is None:
        return facts
    names = ("style", "licence", "build_s", "built_at", "plan_bytes", "plan_sha256")
    return facts | {name: getattr(sidecar, name) for name in names} | sidecar.key.as_data()


def _cells(sidecar: Sidecar | None) -> list[str]:
    if sidecar is None:
        return ["?"] * 7
    key = sidecar.key
    gpu = key.gpu if key.gpu == "none" else f"{key.gpu} ({key.capability})"
    megabytes = f"{sidecar.plan_bytes / 1e6:.1f}"
    form = "" if key.form == "bgr" else f" {key.form}"
    return [sidecar.style, key.frames, key.flavour, key.precision + form, gpu, sidecar.built_at[:10], megabytes]


def _show_layers(console: Console, layers: list[dict[str, Any]], note: str) -> None:
    if note:
        console.print(f"\n{escape(note)}", soft_wrap=True)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("Layer", "Type", "Precision and shape"):
        table.add_column(title, overflow="fold")
    for layer in layers:
        made = [f"{layer['precision']} {layer['shape']}"] if "precision" in layer else list(layer["outputs"])
        table.add_row(escape(layer["name"]), escape(layer["type"]), escape(", ".join(made)))
    print_table(console, table)
    counts = Counter(layer.get("precision") or layer["type"] for layer in layers)
    console.print(f"{len(layers)} layers: " + ", ".join(f"{count} {name}" for name, count in counts.most_common()))
