"""High dynamic range and wide gamut become the colours of an ordinary screen (BT.709, 8 bits)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from livefilter.frame import Image

# Code points of ITU-T H.273, as FFmpeg counts them too.
PQ, HLG = 16, 18
BT2020, P3 = 9, 12
_TO_709 = {
    BT2020: ((1.660491, -0.587641, -0.072850), (-0.124550, 1.132900, -0.008349), (-0.018151, -0.100579, 1.118730)),
    P3: ((1.224940, -0.224940, 0.0), (-0.042057, 1.042057, 0.0), (-0.019638, -0.078636, 1.098274)),
}
_LUMA = {BT2020: (0.262700, 0.677998, 0.059302), P3: (0.228975, 0.691739, 0.079287)}
_LUMA_709 = np.array([(0.072192, 0.715169, 0.212639)], np.float32)  # of B, G, R

# Nits: white of a page in HDR (ITU-R BT.2408), the screen of which HLG is thought, and the most that PQ can say.
_WHITE, _HLG_PEAK, _MOST = 203.0, 1000.0, 10_000.0
DEFAULT_PEAK = 1000.0  # nits of PQ whose own is not known
_SDR_GAMMA = 2.4  # ITU-R BT.1886
_PQ_M1, _PQ_M2, _PQ_C1, _PQ_C2, _PQ_C3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875  # SMPTE ST 2084

_STEPS = 1 << 14  # of the tables that are looked up by a square root
_STRIP = 1 << 16  # pixels that are worked on at once, so that they stay in the processor's cache
_ROUNDING = 0.0005  # of light, by which saturated colours of BT.709 come out of range


@dataclass(frozen=True, slots=True)
class Light:
    """What the numbers of a picture mean.

    transfer, primaries: code points of ITU-T H.273. peak: nits of the brightest that shall be told from the rest.
    """

    transfer: int
    primaries: int = BT2020
    peak: float = DEFAULT_PEAK


def light_of_codes(transfer: int, primaries: int, peak: float = DEFAULT_PEAK) -> Light | None:
    """The light that code points of ITU-T H.273 name; None where it is that of an ordinary screen already."""
    if transfer in (PQ, HLG):
        return Light(transfer, primaries if primaries in _TO_709 else BT2020, min(max(peak, _WHITE), _MOST))
    return Light(transfer, primaries) if primaries in _TO_709 else None


class ToneMapper:
    """Shows pictures of one light as they look best on an ordinary screen.

    What is darker than about half of white stays as it is; what is brighter is bent together (ITU-R BT.2390, 5.4) by
    the strongest of its three parts, so that highlights keep their colour: white comes to 90 % and the peak to 100 %.
    Colours that no ordinary screen has turn paler and keep their brightness. HLG is shown as on a screen of 1000 nits
    (ITU-R BT.2100).
    """

    def __init__(self, light: Light) -> None:
        code = np.linspace(0, 1, 1 << 16)
        root = np.linspace(0, 1, _STEPS)
        self._hlg = light.transfer == HLG
        self._bending: NDArray[np.float32] | None = None
        self._most = 1.0  # of light, in units of white
        if light.transfer == PQ:
            linear = _pq_nits(code) / _WHITE
            self._most, peak = _MOST / _WHITE, light.peak / _WHITE
        elif self._hlg:
            a, b, c = 0.17883277, 0.28466892, 0.55991073
            linear = np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12)
            self._most = peak = _HLG_PEAK / _WHITE
        else:
            linear = code**_SDR_GAMMA
        if light.transfer in (PQ, HLG):
            shown = np.maximum(root**2 * self._most, 1e-12)
            self._bending = np.asarray(_bent(shown, peak) / shown, np.float32)
        self._linear = np.asarray(linear, np.float32)
        self._luma = np.array([_LUMA[light.primaries]], np.float32)
        self._matrix = np.array(_TO_709[light.primaries][::-1], np.float32)  # to B, G, R
        self._brightening = np.asarray(self._most * np.maximum(root, 1e-6) ** 0.4, np.float32)
        self._coded = np.rint(255 * root ** (2 / _SDR_GAMMA)).astype(np.uint8)

    def __call__(self, rgb: NDArray[np.uint16]) -> Image:
        """A picture for an ordinary screen.

        rgb: (H, W, 3) uint16, full range, as coded. Returns: (H, W, 3) uint8 BGR, C-contiguous, new memory.
        """
        height, width = rgb.shape[:2]
        made = np.empty((height, width, 3), np.uint8)
        rows = max(1, _STRIP // width)
        for top in range(0, height, rows):
            self._strip(rgb[top : top + rows], made[top : top + rows])
        return made

    def _strip(self, rgb: NDArray[np.uint16], made: NDArray[np.uint8]) -> None:
        linear: Any = np.take(self._linear, rgb)
        if self._hlg:
            linear *= self._brightening[_root(cv2.transform(linear, self._luma))][:, :, None]
        if self._bending is not None:
            linear *= self._bending[_root(_highest(linear) / self._most)][:, :, None]
        linear = cv2.transform(linear, self._matrix)
        outside = (-_highest(-linear) < -_ROUNDING) | (_highest(linear) > 1 + _ROUNDING)
        if outside.any():
            linear[outside] = _paler(linear[outside])
        np.take(self._coded, _root(linear), out=made, mode="clip")


def _highest(linear: Any) -> Any:
    return np.maximum(np.maximum(linear[..., 0], linear[..., 1]), linear[..., 2])


def _root(linear: Any) -> NDArray[np.int16]:
    """The places of light from 0 to 1 in a table that is looked up by its square root."""
    return np.asarray(np.sqrt(np.clip(linear, 0, 1)) * (_STEPS - 1) + 0.5).astype(np.int16)


def _paler(linear: NDArray[np.float32]) -> NDArray[np.float32]:
    """Colours (N, 3) with so much grey of their own brightness that all parts lie from 0 to 1."""
    # Not numpy's product: its threads may go on spinning, and an engine's have to wait.
    grey = np.clip(cv2.transform(linear[None], _LUMA_709)[0], 0, 1)[:, None]
    away = linear - grey
    room = np.where(away > 0, 1 - grey, grey)
    reach = np.min(room / np.maximum(np.abs(away), 1e-12), axis=1, keepdims=True)
    return np.asarray(grey + away * np.minimum(reach, 1), np.float32)


def _bent(luma: NDArray[np.float64], peak: float) -> NDArray[np.float64]:
    """Brightness 0..peak as 0..1, both in units of white: the EETF of ITU-R BT.2390 with black at 0."""
    top = _pq(np.float64(peak * _WHITE))
    most = _pq(np.float64(_WHITE)) / top
    knee = 1.5 * most - 0.5
    at = np.minimum(_pq(luma * _WHITE) / top, 1.0)
    t = np.clip((at - knee) / max(1 - knee, 1e-9), 0, 1)
    bow = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (-2 * t**3 + 3 * t**2) * most
    return np.where(at < knee, np.minimum(luma, 1), _pq_nits(bow * top) / _WHITE)


def _pq_nits(code: NDArray[np.float64]) -> NDArray[np.float64]:
    power = code ** (1 / _PQ_M2)
    return np.asarray(_MOST * (np.maximum(power - _PQ_C1, 0) / (_PQ_C2 - _PQ_C3 * power)) ** (1 / _PQ_M1))


def _pq(nits: Any) -> Any:
    power = (nits / _MOST) ** _PQ_M1
    return ((_PQ_C1 + _PQ_C2 * power) / (1 + _PQ_C3 * power)) ** _PQ_M2
