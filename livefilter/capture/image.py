"""A still image as an endless input."""

from __future__ import annotations

import time
from pathlib import Path

import cv2
import numpy as np

from livefilter.capture.base import Source, SourceInfo, SourceOptions
from livefilter.capture.lease import Lease
from livefilter.capture.pixels import to_bgr
from livefilter.capture.ticker import Ticker
from livefilter.errors import InvalidInput, SourceUnavailable
from livefilter.frame import Frame, Image

_FPS = 30.0


class ImageSource(Source):
    """One picture again and again, at the asked rate (30 without one), like a camera that looks at a photo.

    target: a path. Photos come out upright (EXIF), transparent pictures on white, 16-bit and grey ones as 8-bit BGR.
    Every frame holds the same array.
    Raises on construction: InvalidInput (no such file, not an image), SourceUnavailable (it cannot be read).
    """

    def __init__(self, target: str, options: SourceOptions) -> None:
        self._image = load_image(Path(target))
        fps = options.fps or _FPS
        height, width = self._image.shape[:2]
        self.info = SourceInfo(f"image {target}", width, height, fps, live=True)
        self._lease = Lease(self.info.name, lambda: None)
        self._ticker = Ticker(fps, self._lease)
        self._number = 0

    def read(self) -> Frame:
        with self._lease:
            self._ticker.wait()
            self._number += 1
            return Frame(self._image, self._number - 1, time.perf_counter())

    def close(self) -> None:
        self._lease.close()


def load_image(path: Path) -> Image:
    """Read a picture as a viewer shows it: (H, W, 3) uint8 BGR, C-contiguous.

    Raises: InvalidInput, SourceUnavailable.
    """
    try:
        # OpenCV's own file access fails on non-ASCII paths under Windows.
        encoded = np.frombuffer(path.read_bytes(), np.uint8)
    except FileNotFoundError:
        raise InvalidInput(f"There is no image file {path}: check the path.") from None
    except IsADirectoryError:
        raise InvalidInput(f"{path} is a folder, not an image file.") from None
    except OSError as error:
        raise SourceUnavailable(f"Cannot read image file {path}: {error.strerror}.") from error
    try:
        if not encoded.size:
            raise ValueError("the file is empty")
        image = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED)
        if image is not None and (image.ndim == 2 or image.shape[2] != 4):
            # Only this mode turns photos upright and scales every depth to 8 bits.
            image = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
        if image is None:
            raise ValueError("it is damaged, or of a kind that cannot be decoded here")
        return to_bgr(image)
    except (ValueError, cv2.error) as error:
        raise InvalidInput(f"Cannot read {path} as an image: {error}. Convert it to PNG or JPEG.") from error
