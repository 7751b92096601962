"""Measure eyes and mouths; run by a Python that has MediaPipe, from the project's folder: see tools/people.py.

Reads from the standard input a JSON list of [original, other, other...], files of one size, and writes a JSON list with
[width of the face in pixels, [eyes, mouth] or null for each file] for each, or null where the original shows no face.
Eyes and mouth are how wide they are open: height through width. The widest face of the original is looked for in
all of them in the same place.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import cv2
import mediapipe as mp

from tools.people import EYES, MOUTH, landmarks, ratio

Square = tuple[float, float, float]


def read(file: str) -> Any:
    """An RGB picture."""
    picture = cv2.imread(file)
    if picture is None:
        raise SystemExit(f"{file} is not a readable picture")
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def openings(mesh: Any, file: str, square: Square) -> list[float] | None:
    """How wide eyes and mouth are open."""
    points = landmarks(mesh, read(file), square)
    if points is None:
        return None
    return [sum(ratio(points, eye) for eye in EYES) / len(EYES), ratio(points, MOUTH)]


def widest(detectors: list[Any], file: str) -> Square | None:
    """The widest face."""
    picture = read(file)
    height, width = picture.shape[:2]
    squares = []
    for found in [found for detector in detectors for found in detector.process(picture).detections or []]:
        box = found.location_data.relative_bounding_box
        side = (box.width * width + box.height * height) / 2
        middle = (box.xmin + box.width / 2) * width, (box.ymin + box.height / 2) * height
        squares.append((middle[0] - side / 2, middle[1] - side / 2, side))
    return max(squares, key=lambda square: square[2], default=None)


def main() -> None:
    """Answer one list."""
    solutions = mp.solutions
    detectors = [
        solutions.face_detection.FaceDetection(model_selection=model, min_detection_confidence=0.5) for model in (0, 1)
    ]
    mesh = solutions.face_mesh.FaceMesh(static_image_mode=True, max_num_faces=1, refine_landmarks=True)
    answer: list[Any] = []
    for files in json.load(sys.stdin):
        square = widest(detectors, files[0])
        answer.append(square and [square[2], *(openings(mesh, file, square) for file in files)])
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
