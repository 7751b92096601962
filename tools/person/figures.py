"""Everything that is measured of the masks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from livefilter.errors import StyleCorrupt
from livefilter.frame import Image
from livefilter.inference.base import EngineOptions
from livefilter.inference.look import Look
from livefilter.inference.mask import Mask, reduced
from livefilter.inference.selection import why_unavailable
from livefilter.inference.steady import Steady
from livefilter.inference.styler import Styler
from livefilter.live.person_network import SIDE, lit, open_person_network
from tools.person.cost import Cost, measure
from tools.person.material import Shown
from tools.person.measures import edge_score, lag, overlap, still_flicker

_FLICKERING = 4  # pictures of each group
_SHEET_HEIGHT, _SHEET_COLUMNS = 200, 3


@dataclass(frozen=True)
class Score:
    """Of one picture. overlap and edges are None where the teacher finds nobody: then `alarm`, the share called one."""

    name: str
    overlap: float | None
    edges: float | None
    alarm: float | None


@dataclass
class Figures:
    """By group: scores, flicker of the network alone and in a live run; by clip: lag.

    found: by picture, the mask. size: of the network's file in bytes.
    """

    size: int
    scores: dict[str, list[Score]] = field(default_factory=dict)
    flicker: dict[str, tuple[float, float]] = field(default_factory=dict)
    lags: dict[str, tuple[int, dict[int, float]]] = field(default_factory=dict)
    costs: list[Cost] = field(default_factory=list)
    found: dict[str, Image] = field(default_factory=dict)

    @property
    def groups(self) -> list[str]:
        """What pictures are of."""
        return list(self.scores)

    @classmethod
    def measured(
        cls,
        network: Path,
        shown: Sequence[Shown],
        moving: Mapping[str, Sequence[Image]],
        style: str,
        rounds: int,
        side: int = SIDE,
    ) -> Figures:
        """Measure a network. rounds: of timing, which is that of livefilter's own. side: as of Finder."""
        figures = cls(network.stat().st_size)
        backends = [name for name in ("openvino", "onnxruntime") if why_unavailable(name) is None]
        with ExitStack() as opened:
            finder = opened.enter_context(Finder(network, backends[0], side))
            for each in shown:
                figures.found[each.name] = finder(each.picture)
                score = _score(each, figures.found[each.name])
                figures.scores.setdefault(each.group, []).append(score)
            for group in figures.groups:
                pictures = [each.picture for each in shown if each.group == group]
                some = pictures[:: max(1, len(pictures) // _FLICKERING)][:_FLICKERING]
                figures.flicker[group] = _flicker(finder, some)
            for clip, frames in moving.items():
                found = lag(frames, [finder(frame) for frame in frames])
                if found is not None:
                    figures.lags[clip] = found
        people = [each.picture for each in shown if each.mask.mean() > 25 and each.picture.shape[1] >= 640]
        for backend in backends if rounds else ():
            for threads, size in ((1, 360), (1, 720), (2, 360)):
                figures.costs.append(measure(people[-8:], style, backend, threads, size, rounds))
        return figures


class Finder:
    """The mask at the full size of pictures of any size, as a live run makes it.

    side: the shorter side at which the network sees them; another than SIDE is a style's own network.
    steady: what keeps the mask still, as frames of a film come; None for pictures that have nothing to do with another.
    """

    steady: Steady | None = None

    def __init__(self, network: Path, backend: str, side: int = SIDE) -> None:
        self._network, self._backend, self._side = network, backend, side
        self._styler: Styler | None = None

    def __call__(self, picture: Image) -> Image:
        """(H, W, 3) uint8 BGR to (H, W) uint8."""
        small = reduced(picture, SIDE)
        if self._styler is None and self._side != SIDE:
            self._styler = Styler(self._network, self._backend, self._side, low_light=True)
        elif self._styler is None:
            size = picture.shape[1], picture.shape[0]
            self._styler = open_person_network(self._backend, EngineOptions(), *size, self._network)
        self._styler(lit(small) if self._side == SIDE else picture, Look(finish=False))
        coarse = self._styler.person
        if coarse is None:
            raise StyleCorrupt(f"Network file {self._network} does not tell who is a person.")
        if self.steady is not None:
            coarse = self.steady(small, coarse, 1.0, 0.0)
        return Mask(coarse, picture, small).whole()

    def __enter__(self) -> Finder:
        return self

    def __exit__(self, *_: object) -> None:
        if self._styler is not None:
            self._styler.close()


def _flicker(finder: Finder, pictures: Sequence[Image]) -> tuple[float, float]:
    """Of still scenes, of the network alone and in a live run."""
    live = []
    for picture in pictures:
        finder.steady = Steady()
        live.append(still_flicker(picture, finder))
    finder.steady = None
    return float(np.mean([still_flicker(picture, finder) for picture in pictures])), float(np.mean(live))


def sheet(shown: Sequence[Shown], figures: Figures, path: Path) -> None:
    """Each picture with the teacher's edge in white and ours in red, the room darkened."""
    tiles = []
    for each in shown[:24]:
        ours, image = figures.found[each.name], each.picture.astype(np.float32)
        image *= 0.35 + 0.65 * (ours[..., None] / np.float32(255))
        drawn = np.asarray(image, np.uint8)
        for mask, colour in ((each.mask, (255, 255, 255)), (ours, (40, 40, 255))):
            lines, _ = cv2.findContours((mask > 127).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
            cv2.drawContours(drawn, lines, -1, colour, max(1, min(drawn.shape[:2]) // 240))
        width = round(drawn.shape[1] * _SHEET_HEIGHT / drawn.shape[0])
        tiles.append(cv2.resize(drawn, (width, _SHEET_HEIGHT), interpolation=cv2.INTER_AREA))
    rows = [np.hstack(tiles[at : at + _SHEET_COLUMNS]) for at in range(0, len(tiles), _SHEET_COLUMNS)]
    width = max(row.shape[1] for row in rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.vstack([np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0))) for row in rows]))


def _score(shown: Shown, found: Image) -> Score:
    wanted, bits = shown.mask > 127, found > 127
    if wanted.mean() < 0.01:
        return Score(shown.name, None, None, float(bits.mean()))
    return Score(shown.name, overlap(bits, wanted), edge_score(bits, wanted), None)
