"""`livefilter styles`: what can be chosen."""

from __future__ import annotations

import json
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from livefilter.errors import StyleCorrupt
from livefilter.styles.catalogue import Catalogue, Style, user_folder


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")
@click.option("--verify", is_flag=True, help="Also compare each network with the SHA-256 on its card.")
def styles(as_json: bool, verify: bool) -> int:
    """List the styles on this machine; the exit code is 1 when one of them is broken."""
    catalogue = Catalogue()
    faults = {style.name: _fault(catalogue, style) for style in catalogue.styles} if verify else {}
    if as_json:
        print(json.dumps(_as_json(catalogue, faults, verify), indent=2))
    else:
        _show(catalogue, faults, verify)
    return 1 if catalogue.broken or any(faults.values()) else 0


def _fault(catalogue: Catalogue, style: Style) -> str | None:
    try:
        catalogue.verify(style)
    except StyleCorrupt as error:
        return str(error)
    return None


def _show(catalogue: Catalogue, faults: dict[str, str | None], verify: bool) -> None:
    console = Console(highlight=False)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("Key", "Name", "Title", "Licence"):
        table.add_column(title)
    table.add_column("Network", justify="right")
    table.add_column("kMAC/px", justify="right")
    if verify:
        table.add_column("SHA-256")
    for number, style in enumerate(catalogue.styles, 1):
        row = [
            str(number) if number <= 9 else "",
            style.name,
            style.title,
            style.licence,
            f"{style.network_path.stat().st_size / 1e6:.1f} MB",
            f"{style.macs_per_pixel / 1000:.1f}",
        ]
        if verify:
            row.append("[red]wrong[/]" if faults[style.name] else "[green]ok[/]")
        table.add_row(*row[:1], *(escape(cell) for cell in row[1:6]), *row[6:])
    if catalogue.styles:
        console.print(table)
        console.print(f"More: put a style's folder into {escape(str(user_folder()))}", style="dim", soft_wrap=True)
    else:
        console.print(
            f"No styles here. Reinstall livefilter, or put a style's folder into {escape(str(user_folder()))}."
        )
    for text in [*(broken.reason for broken in catalogue.broken), *(fault for fault in faults.values() if fault)]:
        console.print(f"[red]Broken:[/] {escape(text)}", soft_wrap=True)


def _as_json(catalogue: Catalogue, faults: dict[str, str | None], verify: bool) -> dict[str, Any]:
    listed = []
    for number, style in enumerate(catalogue.styles, 1):
        entry: dict[str, Any] = {
            "key": number if number <= 9 else None,
            "name": style.name,
            "title": style.title,
            "description": style.description,
            "licence": style.licence,
            "credit": style.credit,
            "teacher": style.teacher,
            "network": str(style.network_path),
            "network_bytes": style.network_path.stat().st_size,
            "sha256": style.sha256,
            "picture": str(style.picture_path) if style.picture_path else None,
            "parameters": style.parameters,
            "macs_per_pixel": style.macs_per_pixel,
            "training": style.training,
            "figures": dict(style.figures),
        }
        if verify:
            entry["verified"] = faults[style.name] is None
        listed.append(entry)
    broken = [{"name": item.name, "folder": str(item.folder), "reason": item.reason} for item in catalogue.broken]
    return {"styles": listed, "broken": broken}
