"""Golden pictures of the bundled styles, and the README's picture: python -m tests.styles.golden writes them again.

To be run after a style was trained again, and looked at.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from livefilter import Catalogue, Styler
from livefilter.frame import Image
from livefilter.inference.base import EngineOptions, Precision

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(__file__).with_name("golden")
PHOTO = ROOT / "livefilter" / "capture" / "assets" / "demo.jpg"
README_PICTURE = ROOT / "docs" / "images" / "styles.jpg"


def photo(side: int = 512) -> Image:
    """The demo photo, (side, side, 3) uint8 BGR."""
    whole = cv2.imread(str(PHOTO))
    assert whole is not None
    return np.asarray(cv2.resize(whole, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def bundled() -> list[tuple[str, str]]:
    """Name and network size of every bundled network."""
    styles = Catalogue(user=Path("no such folder")).styles
    return [(style.name, size) for style in styles for size in style.networks]


def styled(
    style: str, image: Image, backend: str = "onnxruntime", size: str = "auto", precision: Precision = "float"
) -> Image:
    """What a bundled style makes of a picture at the picture's own size."""
    styler = Styler(Catalogue().get(style).network(size), backend, options=EngineOptions(precision=precision))
    try:
        return styler(image)
    finally:
        styler.close()


def main() -> None:
    """Write every golden picture and the README's."""
    FOLDER.mkdir(exist_ok=True)
    for style, size in bundled():
        cv2.imwrite(str(FOLDER / f"{style}-{size}.png"), styled(style, photo(192), size=size))
    README_PICTURE.parent.mkdir(parents=True, exist_ok=True)
    near = np.asarray(cv2.resize(photo()[5:335, 60:390], (512, 512), interpolation=cv2.INTER_CUBIC), np.uint8)
    row = np.hstack([near, *(styled(style.name, near) for style in Catalogue(user=Path("no such folder")).styles)])
    row = np.asarray(cv2.resize(row, None, fx=0.61, fy=0.61, interpolation=cv2.INTER_AREA), np.uint8)
    cv2.imwrite(str(README_PICTURE), row, [cv2.IMWRITE_JPEG_QUALITY, 90])


if __name__ == "__main__":
    main()
