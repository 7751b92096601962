"""`python tools/people.py PHOTOS OUT`: find people in photos, for `livefilter train distill --people OUT`.

Needs MediaPipe and nothing of livefilter, in an environment of its own: pip install "mediapipe>=0.10.14,<0.10.22".
Writes OUT/NAME.png, where people are (uint8, 0 to 255), and OUT/faces.json: by the name of the photo a list of faces,
each with `left`, `top` and `side` of its square in pixels, and `passes`: how often a generator that enlarges eyes may
be applied, 0 where an eye is shut, 1 where one is half shut or the mouth is open, 2 elsewhere.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import cv2
import mediapipe as mp
import numpy as np

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}
SHUT, HALF_SHUT = 0.17, 0.24  # an eye's height through its width; open ones have 0.3 to 0.5
OPEN = 0.25  # the gap between the lips through the mouth's width; a smile that shows teeth has less
SURE = 0.8  # of a detection without landmarks
MARGIN = 0.6  # of a face's side, around it, for its landmarks
EYES = ((33, 133, 159, 145), (263, 362, 386, 374))
MOUTH = (61, 291, 13, 14)


def ratio(points: np.ndarray[Any, Any], which: tuple[int, int, int, int]) -> float:
    """Height through width of an eye or a mouth; `which` names its left, right, upper and lower point."""
    left, right, upper, lower = (points[index] for index in which)
    return float(np.linalg.norm(upper - lower) / max(float(np.linalg.norm(left - right)), 1e-6))


def landmarks(mesh: Any, picture: np.ndarray[Any, Any], square: tuple[float, float, float]) -> Any:
    """The 468 points of the face in this square, in pixels; None where none is found."""
    left, top, side = square
    margin = MARGIN * side
    height, width = picture.shape[:2]
    x0, y0 = max(0, int(left - margin)), max(0, int(top - margin))
    x1, y1 = min(width, int(left + side + margin)), min(height, int(top + side + margin))
    crop = np.ascontiguousarray(picture[y0:y1, x0:x1])
    if min(crop.shape[:2]) < 16:
        return None
    found = mesh.process(crop).multi_face_landmarks
    if not found:
        return None
    size = np.array([x1 - x0, y1 - y0])
    return np.array([(point.x, point.y) for point in found[0].landmark]) * size + (x0, y0)


def faces(detectors: list[Any], mesh: Any, picture: np.ndarray[Any, Any]) -> list[dict[str, Any]]:
    """The faces of an RGB picture, the widest first."""
    height, width = picture.shape[:2]
    squares: list[tuple[float, float, float, float]] = []
    for detector in detectors:
        for found in detector.process(picture).detections or []:
            score = float(found.score[0])
            box = found.location_data.relative_bounding_box
            side = (box.width * width + box.height * height) / 2
            square = (
                (box.xmin + box.width / 2) * width - side / 2,
                (box.ymin + box.height / 2) * height - side / 2,
                side,
                score,
            )
            if all(abs(square[0] - other[0]) + abs(square[1] - other[1]) > 0.5 * side for other in squares):
                squares.append(square)
    result = []
    for square in sorted(squares, key=lambda each: -each[2]):
        left, top, side, score = square
        points = landmarks(mesh, picture, (left, top, side))
        if points is None and score < SURE:
            continue
        passes = 2
        if points is not None:
            eye = min(ratio(points, which) for which in EYES)
            passes = 0 if eye < SHUT else 1 if eye < HALF_SHUT or ratio(points, MOUTH) > OPEN else 2
        place = {name: round(value, 1) for name, value in zip(("left", "top", "side"), square[:3], strict=True)}
        result.append({**place, "passes": passes})
    return result


def main() -> None:
    """Read the arguments and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    solutions = mp.solutions
    detectors = [
        solutions.face_detection.FaceDetection(model_selection=model, min_detection_confidence=0.5) for model in (0, 1)
    ]
    mesh = solutions.face_mesh.FaceMesh(static_image_mode=True, max_num_faces=1, refine_landmarks=True)
    person = solutions.selfie_segmentation.SelfieSegmentation(model_selection=0)
    found = {}
    for path in sorted(arguments.photos.iterdir()):
        if path.suffix.lower() not in SUFFIXES:
            continue
        read = cv2.imread(str(path))
        if read is None:
            raise SystemExit(f"{path} is not a readable picture. Remove it from its folder.")
        picture = cv2.cvtColor(read, cv2.COLOR_BGR2RGB)
        found[path.name] = faces(detectors, mesh, picture)
        mask = np.clip(person.process(picture).segmentation_mask, 0.0, 1.0)
        cv2.imwrite(str(arguments.out / f"{path.stem}.png"), np.rint(mask * 255).astype(np.uint8))
    (arguments.out / "faces.json").write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
