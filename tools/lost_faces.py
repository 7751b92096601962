"""`python -m tools.lost_faces PHOTOS PEOPLE CACHE`: list the photos of a cache whose drawings lost a face.

Chains draw some faces as no faces: dim, blurred or small ones, and those behind hands. Nobody should learn from these.
Landmarks (Face Mesh, Kartynnik et al. 2019) of photo and drawing are compared; where those of a face of `LEAST` pixels
or more lie further apart than `FARTHEST` of its width, or none are found in the drawing, the photo's name goes into
CACHE/lost.json, and training passes over it.

Needs what tools/people.py needs, and what it wrote.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

Points = np.ndarray[Any, Any]
Find = Callable[[Points, tuple[float, float, float]], "Points | None"]

LEAST = 64.0  # pixels of a face in its drawing
FARTHEST = 0.065  # mean distance, in widths of the face; three quarters of all are under 0.05
# Of Face Mesh: forehead, chin, cheeks, nose, mouth, corners of the eyes, inner ends of the brows.
COMPARED = [10, 152, 234, 454, 1, 197, 61, 291, 13, 14, 33, 133, 263, 362, 55, 285]


def distance(photo: Points, drawing: Points) -> float:
    """How far the landmarks of a face are apart, in widths of the face."""
    wide = max(np.linalg.norm(photo[234] - photo[454]), 0.6 * np.linalg.norm(photo[10] - photo[152]))
    return float(np.linalg.norm(photo[COMPARED] - drawing[COMPARED], axis=1).mean() / wide)


def lost(find: Find, photo: Points, drawing: Points, faces: Sequence[Mapping[str, float]]) -> bool:
    """Whether a face of the photo is not that face in its drawing. find: gives the landmarks of a face by its left, top
    and side. faces: of the photo, in its pixels."""
    scale = np.array(drawing.shape[1::-1]) / photo.shape[1::-1]
    for face in faces:
        square = face["left"], face["top"], face["side"]
        points = find(photo, square)
        if points is None or face["side"] * scale[0] < LEAST:
            continue
        found = find(drawing, (square[0] * scale[0], square[1] * scale[1], square[2] * scale[0]))
        if found is None or distance(points * scale, found) > FARTHEST:
            return True
    return False


def read(file: Path) -> Points | None:
    """An RGB picture; None where there is none."""
    picture = cv2.imread(str(file))
    return None if picture is None else cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def main() -> None:
    """Read the arguments and write the list."""
    import mediapipe as mp

    from tools.people import landmarks

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("people", type=Path, help="what tools/people.py wrote about them")
    parser.add_argument("cache", type=Path, help="a style's drawings, as livefilter train distill made them")
    arguments = parser.parse_args()
    known = json.loads((arguments.people / "faces.json").read_text(encoding="utf-8"))
    mesh = mp.solutions.face_mesh.FaceMesh(static_image_mode=True, max_num_faces=1, refine_landmarks=True)
    find = partial(landmarks, mesh)
    names = []
    for name, faces in sorted(known.items()):
        photo, drawing = read(arguments.photos / name), read(arguments.cache / f"{Path(name).stem}-target.png")
        if faces and photo is not None and drawing is not None and lost(find, photo, drawing, faces):
            names.append(name)
    (arguments.cache / "lost.json").write_text(json.dumps(names, indent=1), encoding="utf-8")
    print(f"{len(names)} photos are passed over from now on")  # noqa: T201


if __name__ == "__main__":
    main()
