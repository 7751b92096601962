"""What a file is by its first bytes; its name only helps where they say nothing."""

from __future__ import annotations

import re
import stat
from enum import Enum
from pathlib import Path

from livefilter.errors import InvalidInput, SourceUnavailable

_READ = 4096


class Kind(Enum):
    """What a file can be to us."""

    PICTURE = "a picture"
    DRAWING = "a drawing"
    DOCUMENT = "a document"
    RAW_PHOTO = "a raw photo"
    JPEG_XL = "a picture in JPEG XL"
    JPEG_XR = "a picture in JPEG XR"
    OPENEXR = "a picture in OpenEXR"
    RADIANCE = "a picture in Radiance HDR"
    DDS = "a texture (DDS)"
    GIMP = "a project of GIMP (XCF)"
    LARGE_PSD = "a large Photoshop document (PSB)"
    TEXT = "a text"
    EMPTY = "empty"
    OTHER = "a video"

    @property
    def refusal(self) -> str | None:
        """Why such a file can be neither shown nor styled and what to do; None for pictures and videos."""
        if self in _FOREIGN.values():
            return f"is {self.value}, which cannot be opened here: export it as PNG or TIFF."
        return _REFUSALS.get(self)


_REFUSALS = {
    Kind.DRAWING: "is a vector drawing (SVG), not a video or picture: export it as PNG in the size that you want.",
    Kind.DOCUMENT: "is a document, not a video or picture: export its pages as PNG.",
    Kind.RAW_PHOTO: "is a camera's raw photo: develop it and save it as JPEG, TIFF or HEIC.",
    Kind.TEXT: "is a text, not a video or picture: check the path.",
    Kind.EMPTY: "is empty: copy it again from where it came.",
}


# Pictures that neither Pillow nor FFmpeg, as they are installed here, can decode well.
_FOREIGN = {
    b"\xff\x0a": Kind.JPEG_XL,
    b"\0\0\0\x0cJXL \r\n\x87\n": Kind.JPEG_XL,
    b"II\xbc\x01": Kind.JPEG_XR,
    b"\x76\x2f\x31\x01": Kind.OPENEXR,
    b"#?RADIANCE": Kind.RADIANCE,
    b"#?RGBE": Kind.RADIANCE,
    b"DDS ": Kind.DDS,
    b"gimp xcf": Kind.GIMP,
    b"8BPS\0\2": Kind.LARGE_PSD,
}
_SIGNATURES = (
    b"\xff\xd8\xff",
    b"\x89PNG\r\n\x1a\n",
    b"GIF87a",
    b"GIF89a",
    b"BM",
    b"II*\0",
    b"MM\0*",
    b"II+\0",
    b"MM\0+",
    b"\0\0\0\x0cjP  \r\n\x87\n",
    b"\xff\x4f\xff\x51",
    b"8BPS\0\x01",
    b"\0\0\x01\0",
    b"icns",
    b"qoif",
)
# ISO/IEC 23008-12 (HEIF): these stand for pictures, all others in such a box for films.
_PICTURE_BRANDS = {b"avif", b"avis", b"mif1", b"msf1", b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"}
# ISO/IEC 13818-1: packets of 188 bytes; of 192 in recordings of cameras and Blu-ray, whose time comes first.
_TS_LAYOUTS = ((0, 188), (4, 192))
_TS_SYNC = 0x47
_NETPBM = re.compile(rb"P[1-7fF][\s#]")
_RAW_ENDINGS = {".dng", ".cr2", ".nef", ".arw", ".orf", ".rw2", ".pef", ".srw", ".raf", ".cr3", ".nrw", ".3fr", ".iiq"}
# Written by programs that give these files no signature.
_PICTURE_ENDINGS = {".tga", ".pcx", ".dib"}
# A file of such a name that nobody recognizes is a damaged picture, not a damaged video.
_PICTURE_NAMES = {
    ".avif",
    ".bmp",
    ".gif",
    ".heic",
    ".heif",
    ".ico",
    ".j2k",
    ".jfif",
    ".jp2",
    ".jpe",
    ".jpeg",
    ".jpg",
} | {*(".pgm", ".png", ".pnm", ".ppm", ".psd", ".qoi", ".tif", ".tiff", ".webp")}


def kind_of(path: Path) -> Kind:
    """What a file is; a motion-JPEG stream, which starts like a photo, is a picture only where its name says so.

    Raises: InvalidInput: there is no such file. SourceUnavailable: it cannot be read.
    """
    try:
        if stat.S_ISFIFO(path.stat().st_mode):
            return Kind.OTHER  # what is read from a named pipe here would be missing later
        with path.open("rb") as file:
            start = file.read(_READ)
    except (FileNotFoundError, NotADirectoryError):
        raise InvalidInput(f"There is no file {path}: check the path.") from None
    except IsADirectoryError:
        raise InvalidInput(f"{path} is a folder, not a file.") from None
    except (OSError, ValueError) as error:
        raise SourceUnavailable(f"Cannot read {path}: {getattr(error, 'strerror', None) or error}.") from error
    return kind_of_bytes(start, path.suffix.lower())


def kind_of_bytes(start: bytes, ending: str = "") -> Kind:
    """What data is, by its first kilobytes and the ending of its name, such as ".jpg"."""
    if not start:
        return Kind.PICTURE if ending in _PICTURE_NAMES else Kind.EMPTY
    if ending in _RAW_ENDINGS:
        return Kind.RAW_PHOTO
    foreign = next((kind for first, kind in _FOREIGN.items() if start.startswith(first)), None)
    if foreign is not None:
        return foreign
    if start.startswith(b"\xff\xd8\xff") and ending in (".mjpeg", ".mjpg"):
        return Kind.OTHER
    if start.startswith(_SIGNATURES) or _NETPBM.match(start) or ending in _PICTURE_ENDINGS:
        return Kind.PICTURE
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return Kind.PICTURE
    if start[4:8] == b"ftyp":
        return Kind.PICTURE if start[8:12] in _PICTURE_BRANDS else Kind.OTHER
    if start.startswith((b"%PDF", b"%!PS")):
        return Kind.DOCUMENT
    if re.match(
        rb"(\xef\xbb\xbf)?\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*(<!DOCTYPE svg[^>]*>\s*)?<svg\b", start, re.DOTALL
    ):
        return Kind.DRAWING
    if _is_transport_stream(start):
        return Kind.OTHER
    if ending in _PICTURE_NAMES:
        return Kind.PICTURE
    return Kind.TEXT if _is_text(start) else Kind.OTHER


def _is_transport_stream(start: bytes) -> bool:
    """Whether MPEG-TS packets follow one another, as far as these bytes go; five at least."""
    found = [start[first::step] for first, step in _TS_LAYOUTS]
    return any(len(syncs) >= 5 and set(syncs) == {_TS_SYNC} for syncs in found)


def _is_text(start: bytes) -> bool:
    if start.startswith((b"#EXTM3U", b"ffconcat", b"YUV4MPEG", b"v=0", b"<MPD", b"<?xml", b"--")):
        return False  # lists of films, and films whose head is text
    try:
        words = start.decode("utf-8", errors="strict" if len(start) < _READ else "ignore")
    except UnicodeDecodeError:
        return False
    return all(letter.isprintable() or letter in "\r\n\t\f\x1b" for letter in words)
