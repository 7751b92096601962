"""The token with which other machines, and tools that can only call an address, steer livefilter."""

from __future__ import annotations

import hmac
import os
import secrets
import time
from collections import deque
from contextlib import suppress
from pathlib import Path

from livefilter.errors import ConfigError
from livefilter.user_folders import config_folder

_FAILURES, _PER_S = 10, 60.0
_MAX_KNOWN = 1000


def token_path() -> Path:
    """Where the token lies: beside the settings file."""
    return config_folder() / "token"


class TokenFile:
    """A token in a file that only its owner may read."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or token_path()
        self._seen: tuple[int, str] = (0, "")

    @property
    def current(self) -> str:
        """The token; empty while there is none. A new one counts at once."""
        try:
            changed = self._path.stat().st_mtime_ns
            if changed != self._seen[0]:
                self._seen = (changed, self._path.read_text(encoding="ascii").strip())
        except (OSError, UnicodeDecodeError):
            self._seen = (0, "")
        return self._seen[1]

    def ensure(self) -> str:
        """The token, made where there is none.

        Raises: ConfigError: it cannot be written.
        """
        return self.current or self.renew()

    def renew(self) -> str:
        """Put another token in the place of the one that was; whoever has that one is out.

        Raises: ConfigError: it cannot be written.
        """
        token = secrets.token_urlsafe(24)
        partial = self._path.with_name(f".{self._path.name}-{secrets.token_hex(8)}")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(token + "\n")
            os.replace(partial, self._path)
        except OSError as error:
            with suppress(OSError):
                partial.unlink()
            raise ConfigError(
                f"The token cannot be written to {self._path}: {error.strerror}. Make its folder writable."
            ) from error
        self._seen = (0, "")
        return token

    def matches(self, given: str) -> bool:
        """Whether this is the token, in a time that tells nothing about it."""
        current = self.current
        return bool(current) and hmac.compare_digest(current.encode(), given.encode("utf-8", "replace"))


class Attempts:
    """Counts wrong tokens, so that nobody can try many."""

    def __init__(self) -> None:
        self._failures: dict[str, deque[float]] = {}

    def blocked(self, address: str) -> bool:
        """Whether an address has been wrong too often of late."""
        wrong = self._failures.get(address)
        while wrong and wrong[0] < time.monotonic() - _PER_S:
            wrong.popleft()
        return wrong is not None and len(wrong) >= _FAILURES

    def failed(self, address: str) -> None:
        """Remember a wrong one."""
        if len(self._failures) >= _MAX_KNOWN:
            self._failures.clear()
        self._failures.setdefault(address, deque(maxlen=_FAILURES)).append(time.monotonic())
