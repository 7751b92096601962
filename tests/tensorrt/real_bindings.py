"""TensorRT's real Python bindings (1.3 MB), without the libraries of 3.7 GB that they call."""

from __future__ import annotations

import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

WANTED = "tensorrt-cu13-bindings==11.4.*"
MODULE = "tensorrt_bindings"
_NEEDED, _STRINGS, _IGNORED = 1, 5, 21  # of the dynamic section: DT_NEEDED, DT_STRTAB, DT_DEBUG
_LOADED, _DYNAMIC, _SYMBOLS = 1, 2, 11  # PT_LOAD, PT_DYNAMIC, SHT_DYNSYM


def fetch_bindings(folder: Path) -> Path:
    """A folder to import `tensorrt_bindings` from; skips the test where the wheel cannot be had.

    folder: keeps the wheel, so that it is downloaded once.
    """
    if not sys.platform.startswith("linux"):
        pytest.skip("TensorRT's bindings can be imported without its libraries on Linux only")
    wheels = folder / f"cp{sys.version_info.major}{sys.version_info.minor}"
    if not list(wheels.glob("*.whl")):
        options = ["--quiet", "--no-deps", "--only-binary=:all:", "--disable-pip-version-check", "--retries=1"]
        command = [sys.executable, "-m", "pip", "download", *options, "--timeout=20", f"--dest={wheels}", WANTED]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        except subprocess.TimeoutExpired:
            pytest.skip(f"{WANTED} cannot be downloaded within a minute")
        if done.returncode != 0:
            pytest.skip(f"{WANTED} cannot be downloaded: {(done.stderr.strip().splitlines() or ['no reason'])[-1]}")
    unpacked = wheels / "unpacked"
    with zipfile.ZipFile(next(wheels.glob("*.whl"))) as wheel:
        wheel.extractall(unpacked)
    library = unpacked / MODULE / "tensorrt.so"
    library.write_bytes(without_libraries(library.read_bytes()))
    return unpacked


def without_libraries(elf: bytes) -> bytes:
    """A copy of a 64-bit little-endian ELF library that loads without NVIDIA's: what it calls there is null."""
    data = bytearray(elf)
    headers, sections = struct.unpack_from("<QQ", data, 32)
    header_size, header_count, section_size, section_count = struct.unpack_from("<HHHH", data, 54)
    segments = [struct.unpack_from("<IIQQQQQQ", data, headers + i * header_size) for i in range(header_count)]
    dynamic = next(segment for segment in segments if segment[0] == _DYNAMIC)
    entries = [(at, *struct.unpack_from("<qQ", data, at)) for at in range(dynamic[2], dynamic[2] + dynamic[5], 16)]
    address = next(value for _, tag, value in entries if tag == _STRINGS)
    strings = next(s[2] + address - s[3] for s in segments if s[0] == _LOADED and s[3] <= address < s[3] + s[5])
    for at, tag, value in entries:
        if tag == _NEEDED and data.startswith(b"libnv", strings + value):
            struct.pack_into("<q", data, at, _IGNORED)
    for index in range(section_count):
        _, kind, _, _, start, size = struct.unpack_from("<IIQQQQ", data, sections + index * section_size)
        for symbol in range(start, start + size, 24) if kind == _SYMBOLS else ():
            _, info, _, home = struct.unpack_from("<IBBH", data, symbol)
            if home == 0 and info >> 4 == 1:  # undefined and global becomes weak: null where nobody has it
                data[symbol + 4] = 2 << 4 | info & 15
    return bytes(data)
