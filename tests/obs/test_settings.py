"""The settings of OBS: where they may come from, and that the password goes nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from livefilter.cli.options import config_from, config_options
from livefilter.config import Config, load_config
from livefilter.errors import ConfigError

SECRET = "s3cr3tPassw0rd"


def written(tmp_path: Path, text: str) -> Path:
    """A settings file."""
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_file_profile_environment_and_flag_each_say_a_part(tmp_path: Path) -> None:
    """A later one replaces what it names, and leaves the rest."""
    path = written(
        tmp_path,
        '[obs]\npassword = "file"\nmicrophone = "Mic"\nnever_raw = true\n[obs.scenes]\nGaming = ["gaming", "freeze"]\n'
        '[profiles.p.obs]\nmicrophone = "Other"\n',
    )
    assert load_config({}, path, environment={}).obs.on is False
    found = load_config(
        {"obs": "ws://box:4456"}, path, "p", {"LIVEFILTER_OBS_PASSWORD": SECRET, "LIVEFILTER_OBS": "off"}
    )
    obs = found.obs
    assert (obs.on, obs.address, obs.microphone, obs.never_raw) == (True, "ws://box:4456", "Other", True)
    assert obs.password.get_secret_value() == SECRET
    assert obs.scenes == {"Gaming": ("gaming", "freeze")}
    assert SECRET not in repr(found) + str(found)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[obs]\nmicrofone = "x"', r"Unknown setting 'microfone' below \[obs\] in .*Did you mean 'microphone'"),
        ('[obs]\naddress = "localhost"', r"address = 'localhost' .* must be an address such as ws://127.0.0.1:4455"),
        ("[obs]\npath_ms = 9000", r"path_ms = 9000 .* must be auto or a number from 0 to 5000"),
        ('[obs]\nway = "cable"', r"way = 'cable' .* must be auto, camera, browser or media"),
        ("[obs]\nscenes = 3", r"scenes = 3 .* must be a table"),
        ("[obs]\npassword = 12345678", r"password = \*\*\* .* must be a text in quotes"),
        ("obs = 7", r"obs = 7 .* must be on, off, or an address"),
    ],
)
def test_a_wrong_setting_is_named_with_its_place(tmp_path: Path, text: str, says: str) -> None:
    """And with what it may be; a password is not repeated."""
    with pytest.raises(ConfigError, match=says) as caught:
        load_config({}, written(tmp_path, text), environment={})
    assert "12345678" not in str(caught.value)


@pytest.mark.parametrize("address", [f"ws://me:{SECRET}@host:4455", f"ws://host:4455/?password={SECRET}"])
def test_a_password_in_an_address_is_refused_and_not_repeated(address: str) -> None:
    """`ps` would show it to everybody."""
    with pytest.raises(ConfigError, match="without a password in it") as caught:
        load_config({"obs": address}, environment={})
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("words", "on", "address"),
    [
        ([], False, "ws://127.0.0.1:4455"),
        (["--obs"], True, "ws://127.0.0.1:4455"),
        (["--obs", "--style", "x"], True, "ws://127.0.0.1:4455"),
        (["--obs", "ws://box:1"], True, "ws://box:1"),
        (["--obs", "off"], False, "ws://127.0.0.1:4455"),
    ],
)
def test_the_flag_stands_alone_or_names_an_address(tmp_path: Path, words: list[str], on: bool, address: str) -> None:
    """It has no place for a password."""
    import click

    seen: list[Config] = []

    @click.command()
    @config_options("style", "obs")
    def command(config: Path | None, profile: str | None, **flags: object) -> None:
        seen.append(config_from(config, profile, flags))

    done = CliRunner().invoke(command, [*words, "--config", str(written(tmp_path, ""))], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert (seen[0].obs.on, seen[0].obs.address) == (on, address)
