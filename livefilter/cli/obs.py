"""`livefilter obs`, and OBS in a live run."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
from pydantic import SecretStr

from livefilter.config import Config, profile_tables
from livefilter.live.compose import Live
from livefilter.obs.scenes import Step, parse_rules
from livefilter.obs.settings import ObsSettings

_PROBE_S = 1.5


@dataclass(frozen=True, slots=True)
class ObsWish:
    """What the settings say of OBS, checked. rules: of the scenes. notices: what cannot be done as it is written."""

    settings: ObsSettings
    rules: Mapping[str, Sequence[Step]]
    notices: Sequence[str]

    @classmethod
    def of(cls, config: Config, path: Path | None) -> ObsWish:
        """Read the settings, and ask for the password where OBS wants one and a person is there.

        path: of the settings file that holds the profiles, None for the user's own.
        Raises: ConfigError: a wrong rule.
        """
        if not config.obs.on:
            return cls(config.obs, {}, ())
        rules, notices = parse_rules(config.obs.scenes, profile_tables(path))
        return cls(with_password(config.obs), rules, notices)

    @contextmanager
    def connected(self, live: Live, say: Callable[[str], None]) -> Iterator[None]:
        """Keep the run in touch with OBS until the block ends; it is never waited for."""
        if not self.settings.on:
            yield
            return
        from livefilter.live.obs_room import open_obs

        for notice in self.notices:
            say(notice)
        say(f"OBS:    {self.settings.address}; the status line and the page say how it stands")
        with open_obs(self.settings, self.rules, live):
            yield


def with_password(settings: ObsSettings) -> ObsSettings:
    """The settings with a password typed in, where OBS answers now, wants one, none is set and somebody can type."""
    if settings.password.get_secret_value() or not sys.stdin.isatty():
        return settings
    from livefilter.errors import ObsError, ObsPassword
    from livefilter.obs.client import ObsClient

    async def ask() -> None:
        await (await ObsClient.connect(settings.address, timeout_s=_PROBE_S)).close()

    try:
        asyncio.run(ask())
    except ObsPassword:
        typed = click.prompt(f"Password of OBS at {settings.address}", hide_input=True, default="", show_default=False)
        return settings.model_copy(update={"password": SecretStr(typed)})
    except ObsError:
        pass  # it may come later; the run says what is wrong with it
    return settings
