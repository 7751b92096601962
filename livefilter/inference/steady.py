"""Keeps a drawing still where the scene is."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from livefilter.frame import Image

# Grey levels by which a place differs from before, noise mostly averaged out: up to the first it stands still, from the
# second on it has changed.
_STILL, _CHANGED = 2.0, 9.0
# The part of the newest drawing that is taken where nothing changed.
_LEAST = 0.2
_FRESH = np.clip((np.arange(256, dtype=np.float32) - _STILL) / (_CHANGED - _STILL), _LEAST, 1.0)
# After such a pause what was drawn before says nothing.
_PAUSE_S = 0.5


class Steady:
    """Blends each drawing with the ones before it where the scene stands still, so that lines do not flicker there.

    A network draws every frame alone: camera noise lets faint lines come and go. Motion-adaptive recursive filtering,
    as in the reduction of video noise (Brailean et al., "Noise reduction filters for dynamic image sequences", 1995),
    steered by the camera's picture; what moves is as new as without it.
    """

    def __init__(self) -> None:
        self._at_s = 0.0
        self._strength: float | None = None
        self._scene: Image = np.empty((0, 0, 3), np.uint8)
        self._drawing: Image = np.empty((0, 0, 3), np.uint8)

    def forget(self) -> None:
        """Begin anew with the next drawing."""
        self._strength = None

    def __call__(self, seen: Image, drawn: Image, strength: float, now_s: float) -> Image:
        """Steady one drawing.

        seen: uint8 BGR of any size, what the camera saw. drawn: (H, W, 3) or (H, W) uint8, what was made of it. Both
            are read only. strength: of the drawing; another one begins anew, as another size and a pause do. now_s:
            the time, in seconds.
        Returns: as `drawn`, valid until the next call.
        """
        height, width = drawn.shape[:2]
        half = (width + 1) // 2, (height + 1) // 2
        scene = np.asarray(cv2.resize(seen, half, interpolation=cv2.INTER_AREA), np.uint8)
        again = self._drawing.shape == drawn.shape and strength == self._strength and now_s - self._at_s < _PAUSE_S
        self._at_s, self._strength = now_s, strength
        if not again:
            self._scene, self._drawing = scene, drawn.copy()
            return self._drawing
        fresh = _fresh(scene, self._scene)
        self._scene = _mixed(scene, self._scene, fresh)
        self._drawing = _mixed(drawn, self._drawing, np.asarray(cv2.resize(fresh, (width, height)), np.float32))
        return self._drawing


def _fresh(scene: Image, before: Image) -> npt.NDArray[np.float32]:
    """The part of the newest drawing to take, place by place: (h, w), from `_LEAST` to 1."""
    blue, green, red = cv2.split(cv2.absdiff(scene, before))
    apart = cv2.blur(cv2.max(cv2.max(blue, green), red), (3, 3))
    return np.asarray(cv2.LUT(cv2.dilate(apart, np.ones((3, 3), np.uint8)), _FRESH), np.float32)


def _mixed(new: Image, old: Image, share: npt.NDArray[np.float32]) -> Image:
    return np.asarray(cv2.blendLinear(new, old, share, 1.0 - share), np.uint8)
