"""From the words a user writes to the list of what is measured."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from livefilter.bench.measure import Case
from livefilter.control.parts import STYLED
from livefilter.errors import BackendUnavailable, InvalidInput
from livefilter.inference.selection import BUILT_AHEAD, choose_backend, runs_on_gpu, why_unavailable
from livefilter.registry import ENGINES
from livefilter.styles.catalogue import Catalogue, Style

_SIZE = re.compile(r"(\d{1,5})[xX](\d{1,5})")
_SIDES = (2, 7680)
_PROCESS_SIZES = (64, 2160)


@dataclass(frozen=True)
class Skipped:
    """A backend of `all` that cannot run here, and why."""

    backend: str
    reason: str


def list_cases(
    styles: Sequence[str],
    backends: Sequence[str],
    sizes: Sequence[str],
    process_sizes: Sequence[str],
    networks: Sequence[str] = ("auto",),
    rooms: Sequence[str] = (STYLED,),
) -> tuple[list[Case], list[Skipped]]:
    """Every combination of what was named, in that order and each once; "all" stands for all styles or backends.

    networks: sizes of a style's network; "auto" is the style's best, else full on a GPU and lite elsewhere.
    rooms: what is around the person, see Case.

    Raises: UnknownName, StyleCorrupt, InvalidInput; BackendUnavailable: one that was named cannot run here.
    """
    found_backends, skipped = _backends(backends)
    frames = [_frame_size(size) for size in sizes]
    cases = [
        Case(style.name, backend, width, height, process_size, style.network(size, gpu=runs_on_gpu(backend)).size, room)
        for style, size, backend, (width, height), process_size, room in itertools.product(
            _styles(styles), networks, found_backends, frames, [_process_size(size) for size in process_sizes], rooms
        )
    ]
    return list(dict.fromkeys(cases)), skipped


def _styles(names: Sequence[str]) -> list[Style]:
    catalogue = Catalogue()
    found: list[Style] = []
    for name in names:
        found += catalogue.styles if name == "all" else [catalogue.get(name)]
    if not found:
        raise InvalidInput("There is no style to measure: reinstall livefilter.")
    return found


def _backends(names: Sequence[str]) -> tuple[list[str], list[Skipped]]:
    found: list[str] = []
    skipped: list[Skipped] = []
    for name in names:
        if name != "all":
            found.append(choose_backend(name, without=BUILT_AHEAD)[0])
            continue
        for backend in ENGINES:
            if backend == "identity":
                continue
            reason = why_unavailable(backend)
            if reason is None:
                found.append(backend)
            else:
                skipped.append(Skipped(backend, reason))
    if not found:
        raise BackendUnavailable(f"No backend can run on this machine: {skipped[0].reason}")
    return found, skipped


def _frame_size(text: str) -> tuple[int, int]:
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise InvalidInput(f"Size {text!r} is not a width and a height: write it like 1280x720.")
    width, height = int(match[1]), int(match[2])
    if not all(_SIDES[0] <= side <= _SIDES[1] for side in (width, height)):
        raise InvalidInput(f"Size {text} is out of range: each side must be from {_SIDES[0]} to {_SIDES[1]} pixels.")
    return width, height


def _process_size(text: str) -> str:
    if text in ("full", "auto"):
        return text
    if not text.isdecimal() or not _PROCESS_SIZES[0] <= int(text) <= _PROCESS_SIZES[1]:
        raise InvalidInput(
            f"Process size {text!r} must be full, auto, or from {_PROCESS_SIZES[0]} to {_PROCESS_SIZES[1]} pixels."
        )
    return str(int(text))
