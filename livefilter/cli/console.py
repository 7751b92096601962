"""Where commands print."""

from __future__ import annotations

import os

from rich.console import Console
from rich.table import Table

# Wider than any line of ours; a reader that is no terminal breaks lines where it likes.
_NO_TERMINAL_COLUMNS = 2000


def open_console(*, stderr: bool = False) -> Console:
    """Standard output, or standard error; lines are broken for a terminal alone: logs and pipes get them whole."""
    console = Console(stderr=stderr, highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _NO_TERMINAL_COLUMNS
    return console


def print_table(console: Console, table: Table) -> None:
    """Print a table; elsewhere than in a terminal its lines end where their text does."""
    if console.is_terminal:
        console.print(table)
        return
    with console.capture() as caught:
        console.print(table)
    for line in caught.get().splitlines():
        console.out(line.rstrip(), highlight=False)
