"""`python -m tools.drawn_faces PHOTOS PEOPLE CACHE`: look through the faces that a chain drew, before they are learned.

Landmarks (Face Mesh, Kartynnik et al. 2019) of each photo and of its drawing are compared. Chains open eyes too far:
where a drawn eye is more than `WIDER` times as far open as the person's, its lid is lowered. And they draw some faces
as no faces: dim, blurred or small ones, and those behind hands. Where the landmarks lie further apart than `FARTHEST`
of the face's width, or none are found in the drawing, or a mouth is drawn open that is shut, or shut that is open,
training passes over the photo. Only faces of `LEAST` pixels or more in their drawing are looked at, and each drawing
once: CACHE/looked.json has the names, each with whether a face is lost.

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

from tools.eyelids import BROWS, one_lowered
from tools.people import EYES, LIDS, MOUTH, landmarks, ratio, read_faces, width_of

Points = np.ndarray[Any, Any]
Find = Callable[[Points, tuple[float, float, float]], "Points | None"]
Face = Mapping[str, float]

LEAST = 64.0  # pixels
FARTHEST = 0.065  # mean distance, in widths of the face; three quarters of all are under 0.05
# Of Face Mesh: forehead, chin, cheeks, nose, mouth, corners of the eyes, inner ends of the brows.
COMPARED = [10, 152, 234, 454, 1, 197, 61, 291, 13, 14, 33, 133, 263, 362, 55, 285]
OTHERWISE = 0.2  # height through width, by which a drawn mouth is further open or shut than the person's
WINK = 0.1  # one eye of a person is so much further open than the other
WIDER = 1.2  # anime eyes are open wider than people's
SMALLEST_SHARE = 0.08  # of the eye, that a lid is lowered by
KINDS = ("target", "mild")


def distance(photo: Points, drawing: Points) -> float:
    """How far the landmarks of a face are apart, in widths of the face."""
    return float(np.linalg.norm(photo[COMPARED] - drawing[COMPARED], axis=1).mean()) / width_of(photo)


def another(person: Points, drawn: Points) -> bool:
    """Whether a drawn face is not the person's, or its mouth is not."""
    return distance(person, drawn) > FARTHEST or abs(ratio(person, MOUTH) - ratio(drawn, MOUTH)) > OTHERWISE


def looked_through(find: Find, photo: Points, drawing: Points, faces: Sequence[Face]) -> tuple[Points, bool]:
    """A drawing with its lids where they belong; and whether a face of the photo is not that face in it.

    find: gives the landmarks of a face by its left, top and side, in pixels. photo, drawing: RGB. faces: of the photo,
    in its pixels.
    """
    scale = np.array(drawing.shape[1::-1]) / photo.shape[1::-1]
    result, lost = drawing, False
    for face in faces:
        square = face["left"], face["top"], face["side"]
        person = find(photo, square)
        if person is None or face["side"] * scale[0] < LEAST:
            continue
        drawn = find(drawing, (square[0] * scale[0], square[1] * scale[1], square[2] * scale[0]))
        if drawn is None or another(person * scale, drawn):
            lost = True
        else:
            result = _lowered(result, person, drawn)
    return result, lost


def _lowered(drawing: Points, person: Points, drawn: Points) -> Points:
    """The drawing with the lids of one face as far down as `WIDER` allows; both alike, unless the person winks."""
    opened = np.array([[ratio(points, eye) for eye in EYES] for points in (person, drawn)])
    if abs(opened[0, 0] - opened[0, 1]) < WINK:
        opened[:] = opened.mean(1, keepdims=True)
    shares = 1.0 - np.minimum(1.0, WIDER * opened[0] / np.maximum(opened[1], 1e-6))
    for (upper, lower), brow, share in zip(LIDS, BROWS, shares.tolist(), strict=True):
        if share > SMALLEST_SHARE:
            drawing = one_lowered(drawing, *(drawn[list(part)] for part in (upper, lower, brow)), share=share)
    return drawing


def read(file: Path) -> Points | None:
    """An RGB picture; None where there is none."""
    picture = cv2.imread(str(file)) if file.exists() else None
    return None if picture is None else cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def main() -> None:
    """Read the arguments, and write the list and the drawings that changed."""
    import mediapipe as mp

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("people", type=Path, help="what tools/people.py wrote about them")
    parser.add_argument("cache", type=Path, help="a style's drawings: livefilter train distill --draw-only")
    arguments = parser.parse_args()
    known = read_faces(arguments.photos, arguments.people)
    if not any(arguments.cache.glob(f"*-{KINDS[0]}.png")):
        raise SystemExit(f"{arguments.cache} holds no drawing. Make them: livefilter train distill --draw-only")
    mesh = mp.solutions.face_mesh.FaceMesh(static_image_mode=True, max_num_faces=1, refine_landmarks=True)
    book = arguments.cache / "looked.json"
    looked = json.loads(book.read_text(encoding="utf-8")) if book.exists() else {}
    find, changed = partial(landmarks, mesh), 0
    try:
        for name, faces in sorted(known.items()):
            photo = read(arguments.photos / name) if faces and name not in looked else None
            for kind in KINDS:
                file = arguments.cache / f"{Path(name).stem}-{kind}.png"
                drawing = read(file)
                if photo is None or drawing is None:
                    continue
                result, lost = looked_through(find, photo, drawing, faces)
                if kind == KINDS[0]:
                    looked[name] = lost
                if result is not drawing:
                    cv2.imwrite(str(file), cv2.cvtColor(result, cv2.COLOR_RGB2BGR))
                    changed += 1
    finally:  # after Ctrl-C, too: lids that were lowered must not be lowered again
        book.write_text(json.dumps(looked, indent=1), encoding="utf-8")
    passed = sum(looked.values())
    print(f"Lids were lowered in {changed} drawings; {passed} photos are passed over from now on.")  # noqa: T201


if __name__ == "__main__":
    main()
