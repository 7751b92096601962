"""`livefilter hotkeys`: every action and what sets it off."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from rich.markup import escape
from rich.table import Table

from livefilter.cli.console import open_console, print_table
from livefilter.cli.options import config_from, config_options
from livefilter.cli.triggers import TriggerSettings
from livefilter.control.actions import BARE, BY_NAME
from livefilter.control.desktop_file import install_desktop_file
from livefilter.control.keyboard import keyboard_trigger
from livefilter.control.midi import list_midi_inputs
from livefilter.errors import TriggerUnavailable
from livefilter.registry import TRIGGERS


@click.command()
@config_options("hotkeys", "hotkey", "midi", "midi_pad")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")
@click.option("--install", is_flag=True, help="Make livefilter known to a Wayland desktop, once, and end.")
def hotkeys(config: Path | None, profile: str | None, as_json: bool, install: bool, **flags: Any) -> None:
    """Show the keys, global hotkeys and MIDI pads, as the settings and flags have them, and what works here."""
    if install:
        print(f"Written: {install_desktop_file()}")
        return
    wanted = TriggerSettings.of(config_from(config, profile, flags))
    found = {"keyboard": _keyboard(wanted), "midi": _midi()}
    if as_json:
        print(json.dumps({"actions": _rows(wanted), **found}, indent=2))
    else:
        _show(_rows(wanted), found)


def _rows(wanted: TriggerSettings) -> list[dict[str, Any]]:
    told = [(name, BY_NAME[name].key, BY_NAME[name].help) for name in BARE]
    return [
        {"action": name, "key": key, "hotkeys": _of(wanted.chords, name), "pads": _of(wanted.pads, name), "help": text}
        for name, key, text in told
    ]


def _of(bindings: Mapping[Any, str], action: str) -> list[str]:
    return [str(trigger) for trigger, bound in bindings.items() if bound == action]


def _keyboard(wanted: TriggerSettings) -> str:
    """Whether global hotkeys would work now; the desktop portal is not tried, since it may open a dialog."""
    try:
        kind = keyboard_trigger()
        if kind == "portal":
            return "desktop shortcuts (Wayland): livefilter run asks the desktop, which may choose other chords"
        with TRIGGERS.load(kind)(wanted.chords, lambda action: None, lambda notice: None) as keys:
            return f"{keys.name}: works"
    except TriggerUnavailable as error:
        return str(error)


def _midi() -> list[str] | str:
    try:
        return list_midi_inputs()
    except TriggerUnavailable as error:
        return str(error)


def _show(rows: list[dict[str, Any]], found: Mapping[str, list[str] | str]) -> None:
    console = open_console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("Action", "Key", "Hotkey", "MIDI pad", ""):
        table.add_column(title)
    for row in rows:
        cells = [row["action"], row["key"], ", ".join(row["hotkeys"]), ", ".join(row["pads"]), row["help"]]
        table.add_row(*(escape(cell) for cell in cells))
    print_table(console, table)
    midi = found["midi"]
    devices = midi if isinstance(midi, str) else ", ".join(midi) or "no device found"
    console.print("Keys: in the preview window and the terminal. Hotkeys: with any window in focus.")
    how = "Change one: --hotkey next_style=ctrl+alt+n, --midi-pad next_style=note:48, or =none"
    console.print(how, style="dim", soft_wrap=True)
    console.print(f"Global hotkeys here: {escape(str(found['keyboard']))}", soft_wrap=True)
    console.print(f"MIDI inputs here: {escape(devices)}", soft_wrap=True)
