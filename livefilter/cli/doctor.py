"""`livefilter doctor`: what works here, what is missing, and how to get it."""

from __future__ import annotations

import json
from dataclasses import asdict

import click
from rich.markup import escape
from rich.table import Table

from livefilter.cli.console import open_console, print_table
from livefilter.doctor import can_run, run_checks
from livefilter.finding import Check

_SIGNS = {"ok": "[green]ok[/]", "absent": "[dim]-[/]", "warn": "[yellow]warn[/]", "fail": "[bold red]FAIL[/]"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")
@click.option("--fix-hint", is_flag=True, help="Print only the commands that fix what is missing.")
def doctor(as_json: bool, fix_hint: bool) -> int:
    """Check this machine; the exit code is 0 when `livefilter run` can work on it, otherwise 1."""
    checks = run_checks()
    ready = can_run(checks)
    if as_json:
        print(json.dumps({"can_run": ready, "checks": [asdict(check) for check in checks]}, indent=2))
    elif fix_hint:
        for command in dict.fromkeys(command for check in checks for command in check.commands):
            print(command)
    else:
        _show(checks, ready)
    return 0 if ready else 1


def _show(checks: list[Check], ready: bool) -> None:
    console = open_console()
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for check in checks:
        table.add_row(_SIGNS[check.status], check.name, escape(check.detail))
        if check.fix:
            table.add_row("", "", f"[cyan]{escape(check.fix)}[/]")
    print_table(console, table)
    if ready:
        console.print("\n[green]Ready.[/] Start with: livefilter run")
    else:
        console.print("\n[bold red]Not ready.[/] Fix what says FAIL, then run livefilter doctor again.")
