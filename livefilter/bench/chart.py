"""What the plots share: matplotlib, which is an extra, its figures and their colours."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from livefilter.errors import BackendUnavailable, InvalidInput, install_extra

INK, GRID = "#22252b", "#d9dce3"


def open_figure(size_in: tuple[float, float], dpi: int, title: str) -> Any:
    """An empty figure of matplotlib.

    Raises: BackendUnavailable: matplotlib is not installed.
    """
    try:
        figure_module: Any = importlib.import_module("matplotlib.figure")
        agg: Any = importlib.import_module("matplotlib.backends.backend_agg")
    except ImportError as error:
        raise BackendUnavailable(
            f"No plot: matplotlib is not there ({error}). Install it: {install_extra('bench')}"
        ) from error
    # No pyplot: a figure of our own touches no global state and opens no window.
    figure = figure_module.Figure(figsize=size_in, dpi=dpi, facecolor="white", layout="constrained")
    agg.FigureCanvasAgg(figure)
    figure.suptitle(title, x=0.01, ha="left", fontsize=11, color=INK)
    return figure


def save_figure(figure: Any, path: Path) -> None:
    """Write a figure as a PNG.

    Raises: InvalidInput: the file cannot be written.
    """
    try:
        figure.savefig(path)
    except OSError as error:
        raise InvalidInput(f"Cannot write {path}: {error.strerror}. Name another folder with --out.") from error
