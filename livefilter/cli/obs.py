"""`livefilter obs`, and OBS in a live run."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from pydantic import SecretStr

from livefilter.cli.options import config_from, config_options
from livefilter.config import Config
from livefilter.errors import InvalidInput
from livefilter.live.compose import Live
from livefilter.obs.scenes import Step, parse_rules
from livefilter.obs.settings import ObsSettings
from livefilter.settings_file import profile_tables

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


@click.group()
def obs() -> None:
    """OBS Studio: what `livefilter run --obs` needs to know of it."""


@obs.command()
@click.argument("file", type=click.Path(path_type=Path))
def film(file: Path) -> None:
    """Write the film that `livefilter obs calibrate` wants to see: it flashes and beeps. FILE ends in .mp4."""
    from livefilter.obs.lip_sync import make_flash_video

    if file.suffix.lower() != ".mp4":
        raise InvalidInput(f"{file} must end in .mp4.")
    try:
        make_flash_video(file)
    except FileExistsError:
        raise InvalidInput(f"{file} is there already. Choose another name.") from None
    except OSError as error:
        raise InvalidInput(f"{file} cannot be written: {error.strerror}. Choose another folder.") from error
    click.echo(f"Wrote {file}: play it on a phone or a second screen, before the camera and beside the microphone.")


@obs.command()
@config_options("obs")
@click.option("--seconds", type=click.FloatRange(8, 120), default=20.0, show_default=True, help="To record.")
@click.option("--page", default="http://127.0.0.1:8420", show_default=True, help="Page of the run.")
def calibrate(config: Path | None, profile: str | None, seconds: float, page: str, **flags: Any) -> None:
    """Measure what the way into OBS adds to the delay, beside a `livefilter run --obs`.

    Play the film of `livefilter obs film` before the camera and the microphone meanwhile. OBS records it; the recording
    is read and removed. The result counts at once, and for later runs.
    """
    from livefilter.obs.calibrate import calibrate as measure
    from livefilter.obs.memory import Memory
    from livefilter.web.client import Client

    settings = with_password(config_from(config, profile, {**flags, "obs": flags.get("obs") or "on"}).obs)
    client = Client(page)
    client.state()  # nobody plays a film for a run that is not there
    click.echo(f"OBS records for {seconds:.0f} s: let the film flash and beep now.")
    found = asyncio.run(measure(settings, lambda: client.state().get("obs") or {}, seconds))
    Memory().keep_path(found.way, found.path_ms)
    late = f"{abs(found.before_ms):.0f} ms {'late' if found.before_ms > 0 else 'early'}"
    click.echo(f"The picture was {late} ({found.flashes} flashes, {found.spread_ms:.0f} ms from first to last).")
    click.echo(f"The way into OBS ({found.way}) adds {found.path_ms:.0f} ms; this counts from now on.")
