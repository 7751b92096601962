"""`python tools/people.py PHOTOS OUT`: find people in photos, for `livefilter train distill --people OUT`.

Needs MediaPipe and nothing of livefilter, in an environment of its own: pip install "mediapipe>=0.10.14,<0.10.22".
Writes OUT/NAME.png, where people are (uint8, 0 to 255), OUT/NAME-skin.png, where nothing but skin is in their faces (if
it is anywhere), and OUT/faces.json: by the name of the photo a list of faces, each with `left`, `top` and `side` of its
square in pixels, and `passes`: how often a generator that enlarges eyes may be applied, 0 where an eye is shut, 1 where
one is half shut or the mouth is open, 2 elsewhere.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

FACES = "faces.json"
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}
SHUT, HALF_SHUT = 0.17, 0.24  # an eye's height through its width; open ones have 0.3 to 0.5
OPEN = 0.25  # the gap between the lips through the mouth's width; a smile that shows teeth has less
SURE = 0.8  # of a detection without landmarks
MARGIN = 0.6  # of a face's side, around it, for its landmarks
EYES = ((33, 133, 159, 145), (263, 362, 386, 374))
MOUTH = (61, 291, 13, 14)
# Outlines of Face Mesh, as points of which the convex hull is taken.
OVAL = [10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149]
OVAL += [150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109]
SIDES, TOP, CHIN = (234, 454), 10, 152
RIM = 0.085  # of a face's width, along its outline, where hair and the outline's own line may be
# What is no skin, or has lines of its own, and how far beyond it they are drawn, in widths of the face.
APART = (
    ((61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146), 0.04),  # lips
    ((1, 44, 49, 48, 64, 98, 97, 2, 326, 327, 294, 278, 279, 274), 0.012),  # tip of the nose and nostrils
)
# Of Face Mesh, for both eyes: the upper lid and the lower one, each from the left corner to the right one.
LIDS = (
    ((33, 246, 161, 160, 159, 158, 157, 173, 133), (33, 7, 163, 144, 145, 153, 154, 155, 133)),
    ((362, 398, 384, 385, 386, 387, 388, 466, 263), (362, 382, 381, 380, 374, 373, 390, 249, 263)),
)
AROUND, OUTWARD = 0.055, 0.09  # around eyes, and how much further away from the nose they may be drawn
BROWS = (70, 63, 105, 66, 107, 55, 65, 52, 53, 46), (300, 293, 334, 296, 336, 285, 295, 282, 283, 276)
BROW, RAISED = 0.04, 0.09  # around brows, and how much higher they may be drawn
BRIDGE, CORNERS = 168, (133, 362)  # of the nose; the inner ends of the eyes
# How far one corner is from the bridge, through the other: a profile, and a face that is seen whole.
TURNED = 0.3, 0.5


def ratio(points: np.ndarray[Any, Any], which: tuple[int, int, int, int]) -> float:
    """Height through width of an eye or a mouth; `which` names its left, right, upper and lower point."""
    left, right, upper, lower = (points[index] for index in which)
    return float(np.linalg.norm(upper - lower) / max(float(np.linalg.norm(left - right)), 1e-6))


def width_of(points: np.ndarray[Any, Any]) -> float:
    """Of a face by its landmarks, in pixels; of a turned one by its height."""
    wide, high = (float(np.linalg.norm(points[one] - points[other])) for one, other in (SIDES, (TOP, CHIN)))
    return max(wide, 0.6 * high)


def read_faces(photos: Path, people: Path) -> Any:
    """What was written of these photos: by the name of each, its faces."""
    try:
        return json.loads((people / FACES).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        again = f"python tools/people.py {photos} {people}"
        raise SystemExit(f"{people / FACES} cannot be read ({error}). Write it anew: {again}") from error


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


def hull(shape: tuple[int, ...], points: np.ndarray[Any, Any], reach: float) -> np.ndarray[Any, Any]:
    """255 inside the convex hull of some points, grown by so many pixels, or shrunk."""
    filled = np.zeros(shape[:2], np.uint8)
    cv2.fillPoly(filled, [cv2.convexHull(np.rint(points * 8).astype(np.int32))], 255, cv2.LINE_AA, 3)
    size = max(1, round(2 * abs(reach))) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    return cv2.dilate(filled, kernel) if reach > 0 else cv2.erode(filled, kernel)


def skin(points: np.ndarray[Any, Any], shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """Where a face has nothing but skin, 0 to 255: none in a profile."""
    wide = width_of(points)
    found = hull(shape, points[OVAL], -RIM * wide)
    for part, reach in APART:
        found[hull(shape, points[list(part)], reach * wide) > 0] = 0
    for upper, lower in LIDS:
        eye = points[[*upper, *lower]]
        outward = eye.mean(0) - points[BRIDGE]
        outward *= OUTWARD * wide / max(float(np.linalg.norm(outward)), 1e-6)
        found[hull(shape, np.concatenate([eye, eye + outward]), AROUND * wide) > 0] = 0
    up = points[TOP] - points[CHIN]
    up *= RAISED * wide / max(float(np.linalg.norm(up)), 1e-6)
    for ends in BROWS:
        brow = points[list(ends)]
        found[hull(shape, np.concatenate([brow, brow + up]), BROW * wide) > 0] = 0
    near, far = sorted(float(np.linalg.norm(points[BRIDGE] - points[corner])) for corner in CORNERS)
    seen = min(max((near / max(far, 1e-6) - TURNED[0]) / (TURNED[1] - TURNED[0]), 0.0), 1.0)
    return np.rint(cv2.GaussianBlur(found.astype(np.float32), (0, 0), max(0.7, 0.012 * wide)) * seen).astype(np.uint8)


def faces(
    detectors: list[Any], mesh: Any, picture: np.ndarray[Any, Any]
) -> tuple[list[dict[str, Any]], np.ndarray[Any, Any]]:
    """The faces of an RGB picture, the widest first; and where their skin is."""
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
    result, skins = [], np.zeros((height, width), np.uint8)
    for square in sorted(squares, key=lambda each: -each[2]):
        left, top, side, score = square
        points = landmarks(mesh, picture, (left, top, side))
        if points is None and score < SURE:
            continue
        passes = 2
        if points is not None:
            eye = min(ratio(points, which) for which in EYES)
            passes = 0 if eye < SHUT else 1 if eye < HALF_SHUT or ratio(points, MOUTH) > OPEN else 2
            skins = np.maximum(skins, skin(points, picture.shape))
        place = {name: round(value, 1) for name, value in zip(("left", "top", "side"), square[:3], strict=True)}
        result.append({**place, "passes": passes})
    return result, skins


def main() -> None:
    """Read the arguments and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    import mediapipe as mp

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
        found[path.name], skins = faces(detectors, mesh, picture)
        if skins.any():
            cv2.imwrite(str(arguments.out / f"{path.stem}-skin.png"), skins)
        mask = np.clip(person.process(picture).segmentation_mask, 0.0, 1.0)
        cv2.imwrite(str(arguments.out / f"{path.stem}.png"), np.rint(mask * 255).astype(np.uint8))
    (arguments.out / FACES).write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
