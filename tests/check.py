"""Formatter, linter and type checker, in one command: python tests/check.py."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CHECKS = (
    ("ruff", "format", "--check", "."),
    ("ruff", "check", "."),
    ("mypy",),
)


def main() -> int:
    """Run every check; the number of those that failed."""
    root = Path(__file__).resolve().parents[1]
    failed = 0
    for check in CHECKS:
        sys.stdout.write(f"$ {' '.join(check)}\n")
        sys.stdout.flush()
        failed += subprocess.run([sys.executable, "-m", *check], cwd=root).returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main())
