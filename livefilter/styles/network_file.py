"""A network's file, read once: what is checked is what runs."""

from __future__ import annotations

import hashlib
from pathlib import Path

from livefilter.errors import InvalidInput, StyleCorrupt
from livefilter.styles.onnx_wire import fields
from livefilter.whole_file import read_plain

# As many bytes as one protobuf message, which an ONNX file is, can have.
MOST_BYTES = (1 << 31) - 1

_DEEPEST = 64
# The fields of ONNX's messages that lead to tensors (onnx.proto3): message -> field number -> message within.
_WAY: dict[str, dict[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {13: "entry"},
    "entry": {},
}
_DATA_LOCATION, _EXTERNAL = 14, 1
_KEY, _VALUE = 1, 2


def read_network(path: Path, sha256: str = "") -> bytes:
    """The bytes of a network's file, which reads nothing from other files.

    sha256: what they must be by their card, lower-case hexadecimal; "" for anything.
    Raises: StyleCorrupt: the file cannot be read, is not the one that is meant, or wants to read another file.
    """
    try:
        data = read_plain(path, MOST_BYTES)
    except OSError as error:
        raise StyleCorrupt(f"Network file {path} cannot be read: {error.strerror}. Reinstall the style.") from error
    require_meant(path, hashlib.sha256(data).hexdigest(), sha256)
    try:
        others = external_files(data)
    except ValueError as error:
        raise StyleCorrupt(f"Network file {path} cannot be read: {error}. Reinstall the style.") from error
    if others:
        raise StyleCorrupt(
            f"Network file {path} wants to read its weights from {others[0]!r}, and no style may read other files. "
            "Import it: livefilter import."
        )
    return data


def require_meant(path: Path, found: str, sha256: str) -> None:
    """Refuse a network whose bytes are not those that its card names.

    found: the SHA-256 of its bytes. sha256: the card's; "" for anything. Raises: StyleCorrupt: names both.
    """
    if sha256 and found != sha256:
        raise StyleCorrupt(
            f"Network file {path} is not the one its card names: its SHA-256 is {found}, but the card says {sha256}. "
            "Reinstall the style."
        )


def external_files(data: bytes) -> list[str]:
    """The names of the other files that an ONNX file takes weights from, each once; "" where a name is missing.

    It is read here and not by a runtime, because a runtime opens what it finds.
    Raises: ValueError: it is no ONNX file, or is damaged.
    """
    found: dict[str, None] = {}
    waiting = [("model", memoryview(data), 0)]
    while waiting:
        message, view, depth = waiting.pop()
        if depth > _DEEPEST:
            raise ValueError("it is nested too deeply")
        external, names = False, []
        for number, value in fields(view):
            if message == "tensor" and number == _DATA_LOCATION:
                external = external or value == _EXTERNAL
            within = _WAY[message].get(number)
            if within is None or isinstance(value, int):
                continue
            if within != "entry":
                waiting.append((within, value, depth + 1))
                continue
            entry = {key: bytes(text) for key, text in fields(value) if not isinstance(text, int)}
            external = True  # also where it does not say so: a reader that looks only here would follow it
            if entry.get(_KEY) == b"location":
                names.append(entry.get(_VALUE, b"").decode("utf-8", "replace"))
        if external:
            found |= dict.fromkeys(names or [""])
    return list(found)


def files_beside(path: Path, names: list[str]) -> list[Path]:
    """The files of weights that lie beside an ONNX file that is to be imported.

    Raises: InvalidInput: a name leads elsewhere, or is not of a plain file.
    """
    found = []
    for name in names:
        beside = path.parent / name
        plain = name not in ("", ".", "..") and not set(name) & set("/\\:\0") and name == Path(name).name
        if not plain or beside.is_symlink() or not beside.is_file():
            raise InvalidInput(
                f"{path} keeps weights in {name!r}, which is not a file in the same folder. Put the files of weights "
                "beside it, or save it as one file: onnx.save(onnx.load(FILE), NEW_FILE)."
            )
        found.append(beside)
    return found
