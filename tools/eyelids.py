"""`python -m tools.eyelids PHOTOS PEOPLE`: add each photo of open eyes once more with shut or half-shut ones.

People seldom blink on photos, and a network that saw few shut eyes draws them open. The skin between lid and brow is
drawn down over the eye, along the curve of the lid that face landmarks give (Face Mesh, Kartynnik et al. 2019); two
photos of three get shut eyes, the third half-shut ones. Every second photo with open eyes is taken.

Needs what tools/people.py needs, and what it wrote; the new pictures go to PHOTOS, and what is known of them to PEOPLE.
A picture is named after its photo, so that both are held out or neither (livefilter.training.data.is_held_out).
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from tools.people import FACES, LIDS, landmarks, read_faces

Points = np.ndarray[Any, Any]

# Of Face Mesh, above both eyes.
BROWS = ((70, 63, 105, 66, 107), (336, 296, 334, 293, 300))
LEAST = 64.0  # pixels of a face
LASHES = 0.09  # of an eye's width
SHARE = 1.0, 0.5  # of the eye that the lid covers: shut, half shut
ENDS = "shut", "half"


def lowered(picture: Points, points: Points, share: float) -> Points:
    """The picture with both lids lowered over `share` of the eye."""
    for (upper, lower), brow in zip(LIDS, BROWS, strict=True):
        picture = one_lowered(picture, points[list(upper)], points[list(lower)], points[list(brow)], share=share)
    return picture


def one_lowered(picture: Points, upper: Points, lower: Points, brow: Points, *, share: float) -> Points:
    """Lower one lid, in the axes of the eye: x from corner to corner, y down.

    picture: uint8 (H, W, 3). upper, lower, brow: (N, 2) points x, y in pixels, lids from the left corner to the right.
    """
    origin, along = upper[0], upper[-1] - upper[0]
    width = float(np.linalg.norm(along))
    right = along / width
    axes = np.stack([right, [-right[1], right[0]]])  # rows: x, y
    lid, rim, arch = (((part - origin) @ axes.T) / width for part in (upper, lower, brow))
    left, top = np.floor(origin + along / 2 - width).astype(int)
    rows, columns = np.mgrid[top : top + 2 * int(width), left : left + 2 * int(width)].astype(np.float64)
    x, y = np.moveaxis((np.stack([columns, rows], -1) - origin) @ axes.T / width, -1, 0)
    inside = np.clip(x, 0.0, 1.0)
    up, low = (np.interp(inside, part[:, 0], part[:, 1]) for part in (lid, rim))
    to = up + share * np.maximum(low - up, 0.0)
    start = 0.3 * up + 0.7 * arch[:, 1].max()  # skin below the brow
    start, end, goal = np.minimum(start, up - 2 * LASHES), up - LASHES, to - LASHES
    skin = start + (y - start) * (end - start) / (goal - start)  # lashes move, skin stretches
    moved = np.where((y > start) & (y < goal), skin, np.where((y >= goal) & (y < to), y - to + up, y))
    source = (origin + (np.stack([x, moved], -1) * width) @ axes).astype(np.float32)
    result = picture.copy()
    y0, x0 = max(0, top), max(0, left)
    y1, x1 = min(picture.shape[0], top + rows.shape[0]), min(picture.shape[1], left + rows.shape[1])
    part = np.s_[y0 - top : y1 - top, x0 - left : x1 - left]
    across, down = np.ascontiguousarray(np.moveaxis(source[part], -1, 0))
    result[y0:y1, x0:x1] = cv2.remap(picture, across, down, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return result


def main() -> None:
    """Read the arguments and write the pictures."""
    import mediapipe as mp

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("people", type=Path, help="what tools/people.py wrote about them")
    arguments = parser.parse_args()
    book = arguments.people / FACES
    known = read_faces(arguments.photos, arguments.people)
    mesh = mp.solutions.face_mesh.FaceMesh(static_image_mode=True, max_num_faces=1, refine_landmarks=True)
    made = seen = 0
    for name, found in sorted(known.items()):
        if not found or any(face["passes"] < 2 for face in found) or Path(name).stem.endswith(ENDS):
            continue
        seen += 1
        if seen % 2:
            continue
        picture = cv2.imread(str(arguments.photos / name))
        if picture is None:
            raise SystemExit(
                f"{arguments.photos / name} is not a readable picture, but {book} tells of it. Write that anew: "
                f"python tools/people.py {arguments.photos} {arguments.people}"
            )
        half = made % 3 == 2
        result, changed = picture, []
        for face in found:
            square = face["left"], face["top"], face["side"]
            points = landmarks(mesh, cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), square)
            if points is not None and face["side"] >= LEAST:
                result = lowered(result, points, SHARE[half])
                face = {**face, "passes": int(half)}
            changed.append(face)
        if result is picture:
            continue
        clip, _, rest = name.partition("@")
        new = f"{clip}@{Path(rest).stem}{ENDS[half]}.jpg"
        cv2.imwrite(str(arguments.photos / new), result, [cv2.IMWRITE_JPEG_QUALITY, 95])
        for end in (".png", "-skin.png"):
            old = arguments.people / f"{Path(name).stem}{end}"
            if old.exists():
                shutil.copy(old, arguments.people / f"{Path(new).stem}{end}")
        known[new] = changed
        made += 1
    book.write_text(json.dumps(known, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
