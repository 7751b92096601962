"""Where the skin of a face is, which drawings lost a face, and whose lids are lowered."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tools import people
from tools.drawn_faces import FARTHEST, WIDER, Points, distance, looked_through
from tools.people import EYES, LIDS, ratio

WIDE = 100.0


def face(turned: float = 0.0) -> Points:
    """468 points of a round face of 100 pixels in the middle of 200; turned: 0 seen whole, 1 one eye at the nose."""
    points: Points = np.full((468, 2), (100.0, 130.0))
    turn = np.linspace(0, 2 * np.pi, len(people.OVAL), endpoint=False)
    points[people.OVAL] = 100 + 50 * np.stack([np.sin(turn), -np.cos(turn)], 1)
    points[[234, 454, 10, 152]] = (50, 100), (150, 100), (100, 50), (100, 150)
    places = [(100, 128), (100, 112), (80, 90), (120, 90), (80, 78), (120, 78)]
    for part, place in zip(
        [*(part for part, _ in people.APART), *([*upper, *lower] for upper, lower in people.LIDS), *people.BROWS],
        places,
        strict=True,
    ):
        around = np.linspace(0, 2 * np.pi, len(part), endpoint=False)
        points[list(part)] = np.array(place) + np.stack([8 * np.cos(around), 3 * np.sin(around)], 1)
    points[168] = 100, 90
    points[133], points[362] = (90, 90), (110 - 10 * turned, 90)
    return points


def test_skin_is_in_the_face_and_not_on_eyes_brows_mouth_and_nose() -> None:
    """Cheeks, forehead and the bridge of the nose are skin; what has lines of its own and the outline are not."""
    skin = people.skin(face(), (200, 200, 3))
    assert skin.dtype == np.uint8
    for x, y in ((72, 115), (128, 115), (100, 65), (100, 98)):
        assert skin[y, x] > 240, (x, y)
    for x, y in (
        (80, 90),
        (120, 90),
        (64, 90),
        (136, 90),
        (80, 78),
        (80, 70),
        (100, 128),
        (100, 112),
        (52, 100),
        (100, 148),
        (20, 20),
    ):
        assert skin[y, x] == 0, (x, y)


def test_a_profile_has_no_skin_that_could_lose_its_outline() -> None:
    """Half turned it counts in part."""
    whole, half, profile = (people.skin(face(turned), (200, 200, 3)).max() for turned in (0.0, 0.6, 0.8))
    assert whole > 250
    assert 100 < half < 150
    assert profile == 0


def test_a_face_that_moved_or_is_not_found_is_lost() -> None:
    """The same face twice as large is not; a small one is not asked about."""
    photo, drawing = np.zeros((200, 200, 3), np.uint8), np.zeros((400, 400, 3), np.uint8)
    points = face()
    faces = [{"left": 50.0, "top": 50.0, "side": WIDE}]

    def verdict(found: Points | None, faces: list[dict[str, float]] = faces) -> bool:
        return looked_through(lambda picture, _: points if picture is photo else found, photo, drawing, faces)[1]

    assert distance(points, points + np.array((0.0, 10.0))) == pytest.approx(0.1)
    assert not verdict(2.0 * points)
    assert not verdict(2.0 * points + np.array((0.0, 1.9 * FARTHEST * WIDE)))
    assert verdict(2.0 * points + np.array((0.0, 2.1 * FARTHEST * WIDE)))
    assert verdict(None)
    assert not verdict(None, [{**faces[0], "side": 30.0}])
    yawning = 2.0 * points
    yawning[[13, 14, 61, 291]] = (200, 249), (200, 263), (180, 256), (220, 256)
    shut = yawning.copy()
    shut[[13, 14]] = (200, 256)
    points[[13, 14, 61, 291]] = yawning[[13, 14, 61, 291]] / 2.0
    assert not verdict(yawning)
    assert verdict(shut)
    assert not looked_through(lambda *_: None, photo, drawing, faces)[1]  # nobody can tell


@pytest.mark.parametrize(("person_open", "left"), [(0.2, WIDER * 0.2), (0.45, 0.5)])
def test_eyes_that_are_drawn_too_wide_are_lowered(person_open: float, left: float) -> None:
    """Eyes half as far open as drawn ones get their lids drawn down as far; those that are open wide stay."""
    drawn, person = face(), face()
    for points, wide in ((drawn, 0.5), (person, person_open)):
        for lids, x in zip(LIDS, (80, 120), strict=True):
            turn = np.linspace(np.pi, 0, 9)
            for lid, sign in zip(lids, (-1, 1), strict=True):
                points[list(lid)] = np.stack([x + 16 * np.cos(turn), 90 + sign * 16 * wide * np.sin(turn)], 1)
        assert ratio(points, EYES[0]) == pytest.approx(wide)
    photo, drawing = np.zeros((200, 200, 3), np.uint8), np.full((200, 200, 3), (220, 180, 150), np.uint8)
    for x in (80, 120):
        cv2.ellipse(drawing, (x, 90), (16, 8), 0, 0, 360, (250, 250, 250), -1)
    faces = [{"left": 50.0, "top": 50.0, "side": WIDE}]
    find = lambda picture, _: person if picture is photo else drawn  # noqa: E731
    result, lost = looked_through(find, photo, drawing, faces)
    assert not lost
    assert (result is drawing) == (left == 0.5)
    for x in (80, 120):
        white = (result[:, x].min(axis=1) > 235).sum()
        assert abs(white / 32 - left) < 0.08
