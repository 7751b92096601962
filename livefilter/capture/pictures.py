"""Pictures of every kind that people have, as they are meant to look."""

from __future__ import annotations

import io
import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms, ImageFile, ImageOps, ImageSequence, TiffImagePlugin, UnidentifiedImageError

from livefilter.capture.code_points import code_points
from livefilter.capture.deep_jpeg2000 import bits_per_sample, read_deep
from livefilter.capture.hdr import HLG, PQ, Light, ToneMapper, light_of_codes
from livefilter.capture.kinds import Kind, kind_of_bytes
from livefilter.errors import InvalidInput, SourceUnavailable

_log = logging.getLogger(__name__)

# Pixels of the largest picture that is opened: 16384x16384, 0.8 GB once decoded. Telephones reach 200 million.
MAX_PIXELS = 2**28

_FORMATS = (
    *("AVIF", "BMP", "DIB", "GIF", "HEIF", "ICNS", "ICO", "JPEG", "JPEG2000", "PCX", "PNG", "PPM", "PSD"),
    *("QOI", "TGA", "TIFF", "WEBP"),
)
_ANIMATED = ("AVIF", "GIF", "PNG", "WEBP")
_DEFAULT_STEP_S, _SHORTEST_STEP_S = 0.1, 0.011  # browsers take what is shorter for "not said", and show 10 a second
_WITH_CODES = ("AVIF", "HEIF", "PNG")
_HEAD = 1 << 20  # bytes that lie before the pixels at most
_SMALL_COPY = 1  # of TIFF's NewSubfileType
_AGAIN = "Copy it again from where it came"
# Pillow's own reader takes separate planes of 16 bits for planes of 8.
TiffImagePlugin.READ_LIBTIFF = True
pillow_heif.register_heif_opener(thumbnails=False)

# Pillow's limits and Python's warnings are settings of the whole process.
_decoding = threading.Lock()


@dataclass(frozen=True, slots=True)
class Still:
    """One picture.

    image: (H, W, 3) BGR or, where something is transparent, (H, W, 4) BGRA with straight alpha; uint8, sRGB, upright,
        C-contiguous.
    duration_s: seconds for which it is shown in an animation; 0 in other pictures.
    """

    image: NDArray[np.uint8]
    duration_s: float = 0.0


class PictureFile:
    """An open picture file; not thread-safe.

    source: a path, or the bytes of a file. name: what messages call it.
    max_pixels: of each picture in it; a larger one is refused before it is decoded.
    accept_damage: what can be decoded of a cut-off file is taken, and the rest left grey or black.
    kind: Pillow's name of the format, such as "JPEG" or "HEIF".
    count: pictures in it that are meant to be seen: of an animation, or pages; 1 for all others.
    animated: they are shown one after another, so together they are a film.
    Raises on construction: InvalidInput (no picture, too large), SourceUnavailable (it cannot be read).
    """

    def __init__(
        self,
        source: Path | bytes,
        name: str | None = None,
        *,
        max_pixels: int = MAX_PIXELS,
        accept_damage: bool = False,
    ) -> None:
        self.name = name or (str(source) if isinstance(source, Path) else "the picture")
        self._max_pixels = max_pixels
        self._accept_damage = accept_damage
        start = _start_of(source, self.name)
        ending = source.suffix.lower() if isinstance(source, Path) else ""
        found = kind_of_bytes(start, ending)
        if start and found.refusal:
            # What was sent to us has no path.
            refusal = found.refusal if isinstance(source, Path) else found.refusal.replace(": check the path.", ".")
            raise InvalidInput(f"{self.name} {refusal}")
        with self._translated():
            if not start:
                raise ValueError("the file is empty")
            # Pillow's readers of formats without a signature take anything for theirs.
            formats = [one for one in _FORMATS if one != "TGA" or ending == ".tga"]
            self._opened: Image.Image = Image.open(
                source if isinstance(source, Path) else io.BytesIO(source), "r", formats
            )
            try:
                self.kind: str = str(self._opened.format)
                if self.kind == "TIFF" and ExifTags.Base.DNGVersion in self._opened.getexif():
                    raise InvalidInput(f"{self.name} {Kind.RAW_PHOTO.refusal}")
                self._pages = self._seen_pages()
                codes = code_points(_start_of(source, self.name, _HEAD)) if self.kind in _WITH_CODES else None
                self._deep = _deep_jpeg2000(source) if self.kind == "JPEG2000" and self._opened.mode != "I;16" else None
                self._light = light_of_codes(*codes) if codes is not None else None
            except BaseException:
                self._opened.close()
                raise
        self.count = len(self._pages)
        self.animated = self.kind in _ANIMATED and self.count > 1

    def read(self, number: int = 0) -> Still:
        """A picture of the file, counted from 0.

        Raises: InvalidInput: it is damaged, cut off or too large.
        """
        with self._translated():
            self._opened.seek(self._pages[number])
            self._opened.load()
            duration_s = self._duration_s() if self.animated else 0.0
            picture = self._opened if self._deep is None else read_deep(*self._deep, self._opened.info)
            upright = ImageOps.exif_transpose(picture) if self.kind != "GIF" else picture
            return Still(_pixels(upright, self.name, self._light), duration_s)

    def __iter__(self) -> Iterator[Still]:
        """All pictures in turn.

        Raises: InvalidInput: one is damaged, cut off or too large.
        """
        return (self.read(number) for number in range(self.count))

    def close(self) -> None:
        """Close the file. Can be called twice."""
        self._opened.close()

    def __enter__(self) -> PictureFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _seen_pages(self) -> list[int]:
        """Where the pictures are that are meant to be seen: not previews, thumbnails or gain maps."""
        frames = int(getattr(self._opened, "n_frames", 1))
        if self.kind in _ANIMATED:
            return list(range(frames))
        if self.kind != "TIFF" or frames == 1:
            return [self._opened.tell()]
        pages = []
        for number, page in enumerate(ImageSequence.Iterator(self._opened)):
            tags = getattr(page, "tag_v2", {})
            if not int(tags.get(ExifTags.Base.NewSubfileType, 0)) & _SMALL_COPY:
                pages.append(number)
        return pages or [0]

    def _duration_s(self) -> float:
        milliseconds = self._opened.info.get("duration", 0)
        duration_s = float(milliseconds) / 1000 if isinstance(milliseconds, int | float) else 0.0
        return duration_s if duration_s >= _SHORTEST_STEP_S else _DEFAULT_STEP_S

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            with _decoding, warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of EXIF and the like; what matters is an error
                limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, max(self._max_pixels // 2, 1)
                truncated, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, self._accept_damage
                try:
                    yield
                finally:
                    Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES = limit, truncated
        except InvalidInput:
            raise
        except Image.DecompressionBombError as error:
            raise InvalidInput(
                f"{self.name} has more than {self._max_pixels // 10**6} million pixels, the most that are opened here. "
                "Make it smaller first."
            ) from error
        except (PermissionError, IsADirectoryError) as error:
            raise SourceUnavailable(f"Cannot read image file {self.name}: {error.strerror}.") from error
        except MemoryError as error:
            raise InvalidInput(
                f"{self.name} does not fit into this machine's memory. Make it smaller first."
            ) from error
        except Exception as error:  # Pillow's readers raise whatever Python raises on bytes that make no sense
            raise InvalidInput(f"Cannot read {self.name} as an image: {_reason(error)}") from error


def read_picture(source: Path | bytes, name: str | None = None, *, max_pixels: int = MAX_PIXELS) -> NDArray[np.uint8]:
    """The first, or only, picture of a file, as `Still.image`.

    Raises: InvalidInput (no picture, damaged, too large), SourceUnavailable (it cannot be read).
    """
    with PictureFile(source, name, max_pixels=max_pixels) as file:
        return file.read().image


def _start_of(source: Path | bytes, name: str, size: int = 4096) -> bytes:
    if isinstance(source, bytes):
        return source[:size]
    try:
        with source.open("rb") as file:
            return file.read(size)
    except (FileNotFoundError, NotADirectoryError):
        raise InvalidInput(f"There is no image file {name}: check the path.") from None
    except IsADirectoryError:
        raise InvalidInput(f"{name} is a folder, not an image file.") from None
    except (OSError, ValueError) as error:
        raise SourceUnavailable(
            f"Cannot read image file {name}: {getattr(error, 'strerror', None) or error}."
        ) from error


def _deep_jpeg2000(source: Path | bytes) -> tuple[bytes, int] | None:
    data = source if isinstance(source, bytes) else source.read_bytes()
    bits = bits_per_sample(data)
    return (data, bits) if bits > 8 else None


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "it is damaged, or of a kind that cannot be decoded here. Convert it to PNG or JPEG."
    text = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    if "truncated" in text.lower() or isinstance(error, EOFError):
        return f"it is cut off ({text}). {_AGAIN}; render takes what there is with --accept-damage."
    if text == "the file is empty":
        return f"{text}. {_AGAIN}."
    return f"it is damaged ({text}). {_AGAIN}, or convert it to PNG or JPEG."


def _pixels(picture: Image.Image, name: str, light: Light | None = None) -> NDArray[np.uint8]:
    """8-bit BGR or BGRA in sRGB of a picture in any of Pillow's modes.

    light: of its colours, where the file names it beside or instead of a profile.
    """
    profile = picture.info.get("icc_profile")
    if light is not None and (light.transfer in (PQ, HLG) or not profile):
        profile = None
    else:
        light = None
    if picture.mode in ("I;16", "I;16L", "I;16B", "I;16N", "I", "F"):
        picture = _eight_bits(picture)
    alpha = None
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        alpha = picture.getchannel("A")
    elif picture.mode not in ("RGB", "L", "CMYK", "LAB"):
        picture = picture.convert("RGB")
    if profile:
        picture = _in_srgb(picture, profile, name)
    if picture.mode == "LAB":
        picture = (
            ImageCms.profileToProfile(
                picture, ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
            or picture
        )
    if picture.mode != "RGB":
        picture = picture.convert("RGB")
    bgr: Any = (
        cv2.cvtColor(np.asarray(picture), cv2.COLOR_RGB2BGR)
        if light is None
        else ToneMapper(light)(np.asarray(picture).astype(np.uint16) * 257)
    )
    if alpha is not None and np.asarray(alpha).min() < 255:
        bgr = np.dstack([bgr, np.asarray(alpha)])
    return np.ascontiguousarray(bgr, dtype=np.uint8)


def _eight_bits(picture: Image.Image) -> Image.Image:
    values = np.asarray(picture)
    if picture.mode == "F":
        if not np.isfinite(values).all() or values.min() < 0 or values.max() > 1:
            raise ValueError("its pixels are no levels from 0 to 1 but measured values")
        return Image.fromarray((values * 255 + 0.5).astype(np.uint8))
    return Image.fromarray((np.clip(values, 0, 65535).astype(np.uint32) * 255 // 65535).astype(np.uint8))


def _in_srgb(picture: Image.Image, profile: bytes, name: str) -> Image.Image:
    """Colours of an ICC profile as sRGB; RGB out of any mode, alpha is lost."""
    try:
        found = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space = found.profile.xcolor_space.strip()
        mode = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab": "LAB"}[space]
        if mode != picture.mode and not (mode in ("RGB", "L") and picture.mode in ("RGB", "RGBA", "L")):
            raise ValueError(f"it is for {space}")
        made = ImageCms.profileToProfile(picture.convert(mode), found, ImageCms.createProfile("sRGB"), outputMode="RGB")
        return made if made is not None else picture
    except (ImageCms.PyCMSError, KeyError, ValueError, OSError) as error:
        _log.warning("The colour profile in %s cannot be used (%s): taking its colours for sRGB.", name, error)
        return picture
