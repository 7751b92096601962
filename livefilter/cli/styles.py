"""`livefilter styles`: what can be chosen."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from livefilter.cli.console import open_console, print_table
from livefilter.errors import InvalidInput, StyleCorrupt
from livefilter.styles.catalogue import Catalogue, Network, user_folder
from livefilter.styles.known import known_generators
from livefilter.styles.user_styles import UserStyles


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")
@click.option("--verify", is_flag=True, help="Also compare each network with the SHA-256 on its card.")
@click.pass_context
def styles(context: click.Context, as_json: bool, verify: bool) -> int:
    """List the styles on this machine, and where to get more; the exit code is 1 when one of them is broken."""
    if context.invoked_subcommand is not None:
        return 0
    catalogue = Catalogue()
    networks = [network for style in catalogue.styles for network in style.networks.values()]
    faults = {network.label: _fault(network) for network in networks} if verify else {}
    if as_json:
        print(json.dumps(_as_json(catalogue, faults, verify), indent=2))
    else:
        _show(catalogue, faults, verify)
    return 1 if catalogue.broken or any(faults.values()) else 0


@styles.command(short_help="Delete an imported style.")
@click.argument("name")
def remove(name: str) -> None:
    """Delete a style from your own folder, as `livefilter import` made it."""
    mine = UserStyles(user_folder())
    if mine.find(name) is None:
        for style in Catalogue().styles:
            if style.name == name:
                raise InvalidInput(f"Style {name} is not removed: it comes with livefilter; only imported ones can be.")
    folder = mine.remove(name)
    left = f"; {folder} holds other files and stays" if folder.exists() else ""
    click.echo(f"Removed {name}{left}.")


def _fault(network: Network) -> str | None:
    try:
        network.verify()
    except StyleCorrupt as error:
        return str(error)
    return None


def _show(catalogue: Catalogue, faults: dict[str, str | None], verify: bool) -> None:
    console = open_console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("Key", "Name", "Title", "Licence", "Network"):
        table.add_column(title, overflow="fold")
    table.add_column("MB", justify="right")
    table.add_column("kMAC/px", justify="right")
    if verify:
        table.add_column("SHA-256")
    for number, style in enumerate(catalogue.styles, 1):
        about = [str(number) if number <= 9 else "", style.name, style.title, style.licence]
        for network in style.networks.values():
            row = [*about, network.size, f"{_bytes(network) / 1e6:.1f}", f"{network.macs_per_pixel / 1000:.1f}"]
            state = "[red]wrong[/]" if faults.get(network.label) else "[green]ok[/]"
            table.add_row(*(escape(cell) for cell in row), *([state] if verify else []))
            about = [""] * len(about)  # the second network of a style stands below the first
    if catalogue.styles:
        print_table(console, table)
        _show_more(console)
    else:
        console.print(
            f"No styles here. Reinstall livefilter, or put a style's folder into {escape(str(user_folder()))}."
        )
    for text in [*(broken.reason for broken in catalogue.broken), *(fault for fault in faults.values() if fault)]:
        console.print(f"[red]Broken:[/] {escape(text)}", soft_wrap=True)


def _show_more(console: Console) -> None:
    pages: dict[tuple[str, str], list[str]] = {}
    for generator in known_generators():
        pages.setdefault((generator.page, generator.licence), []).append(generator.file)
    console.print("\nMore, published by others: get a file from its page, then livefilter import FILE --name NAME")
    for (page, licence), files in pages.items():
        console.print(f"  {escape(page)} ({escape(licence)}): {escape(', '.join(files))}", style="dim", soft_wrap=True)
    console.print(f"Your own styles lie in {escape(str(user_folder()))}", style="dim", soft_wrap=True)


def _as_json(catalogue: Catalogue, faults: dict[str, str | None], verify: bool) -> dict[str, Any]:
    listed = [
        {
            "key": number if number <= 9 else None,
            "name": style.name,
            "title": style.title,
            "description": style.description,
            "licence": style.licence,
            "credit": style.credit,
            "teacher": style.teacher,
            "picture": str(style.picture_path) if style.picture_path else None,
            "networks": {
                network.size: _network_json(network) | ({"verified": faults[network.label] is None} if verify else {})
                for network in style.networks.values()
            },
        }
        for number, style in enumerate(catalogue.styles, 1)
    ]
    broken = [{"name": item.name, "folder": str(item.folder), "reason": item.reason} for item in catalogue.broken]
    more = [dataclasses.asdict(generator) for generator in known_generators()]
    return {"styles": listed, "broken": broken, "more": more}


def _network_json(network: Network) -> dict[str, Any]:
    return {
        "file": str(network.path),
        "bytes": _bytes(network),
        "sha256": network.sha256,
        "parameters": network.parameters,
        "macs_per_pixel": network.macs_per_pixel,
        "training": network.training,
        "figures": dict(network.figures),
    }


def _bytes(network: Network) -> int:
    return network.path.stat().st_size
