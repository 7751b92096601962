"""The user's own folders, also of a user who has no home, as in containers."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

import platformdirs

from livefilter.errors import ConfigError

_NO_HOME = (RuntimeError, KeyError, OSError)


def config_folder() -> Path:
    """For settings and the token.

    Raises: ConfigError: there is no home, and the folder that stands in for it belongs to somebody else.
    """
    return _folder(lambda: platformdirs.user_config_dir("livefilter", appauthor=False), "config")


def data_folder() -> Path:
    """For the user's own styles.

    Raises: ConfigError: as in `config_folder`.
    """
    return _folder(lambda: platformdirs.user_data_dir("livefilter", appauthor=False), "data")


def cache_folder() -> Path:
    """For what can be made again.

    Raises: ConfigError: as in `config_folder`.
    """
    return _folder(lambda: platformdirs.user_cache_dir("livefilter", appauthor=False), "cache")


def state_folder() -> Path:
    """For what is remembered from one run to the next.

    Raises: ConfigError: as in `config_folder`.
    """
    return _folder(lambda: platformdirs.user_state_dir("livefilter", appauthor=False), "state")


def videos_folder() -> Path:
    """For recordings; the current folder where there is no home."""
    try:
        return Path(platformdirs.user_videos_dir())
    except _NO_HOME:
        return Path.cwd()


def home_folder() -> Path | None:
    """The home folder; None where there is none."""
    try:
        return Path.home()
    except _NO_HOME:
        return None


def _folder(usual: Callable[[], str], name: str) -> Path:
    try:
        return Path(usual())
    except _NO_HOME:
        return _stand_in() / name


def _stand_in() -> Path:
    """A folder of this user alone in the one for temporary files; what lies there may run code here."""
    path = Path(tempfile.gettempdir()) / f"livefilter-{os.getuid()}"
    try:
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()
    except OSError as error:
        raise ConfigError(
            f"This user has no home folder, and {path} cannot be made instead: {error.strerror}. Set HOME."
        ) from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise ConfigError(f"This user has no home folder, and others may write into {path}. Set HOME.")
    return path
