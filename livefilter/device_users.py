"""Which programs hold a device."""

from __future__ import annotations

import glob
import os


def programs_using(path: str) -> list[str]:
    """Names and process numbers of other programs that hold a Linux device open, as far as we may see them."""
    real = os.path.realpath(path)
    found = set()
    for link in glob.iglob("/proc/[0-9]*/fd/*"):
        try:
            if os.readlink(link) != real:
                continue
            process = link.split("/")[2]
            with open(f"/proc/{process}/comm", encoding="utf-8", errors="replace") as name:
                found.add(f"{name.read().strip()} (process {process})")
        except OSError:  # ended meanwhile, or belongs to someone else
            continue
    ours = f"(process {os.getpid()})"
    return sorted(program for program in found if not program.endswith(ours))
