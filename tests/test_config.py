"""Settings from file, profile, environment and flags."""

from __future__ import annotations

from pathlib import Path

import pytest

from livefilter.config import Config, load_config
from livefilter.errors import ConfigError


@pytest.fixture
def settings_file(tmp_path: Path) -> Path:
    """A settings file with one profile."""
    path = tmp_path / "config.toml"
    path.write_text('style = "paprika"\nfps = 24\nfade_ms = 100\n[profiles.meeting]\nfps = 15\nmirror = true\n')
    return path


def test_later_layers_win(settings_file: Path) -> None:
    """Defaults < file < profile < environment < flags, field by field."""
    environment = {"LIVEFILTER_FPS": "20", "LIVEFILTER_OUTPUT": "page, null", "PATH": "/bin"}
    config = load_config({"strength": "0.5"}, settings_file, "meeting", environment)
    assert (config.style, config.fps, config.mirror, config.strength) == ("paprika", 20, True, 0.5)
    assert config.output == ("page", "null")
    assert load_config({"fps": "60"}, settings_file, "meeting", environment).fps == 60
    assert load_config({}, settings_file, None, {}).fps == 24


def test_file_and_profile_can_be_named_by_the_environment(settings_file: Path) -> None:
    """LIVEFILTER_CONFIG and LIVEFILTER_PROFILE stand in for the flags."""
    environment = {"LIVEFILTER_CONFIG": str(settings_file), "LIVEFILTER_PROFILE": "meeting"}
    assert load_config({}, None, None, environment).fps == 15


def test_the_folder_of_recordings_may_start_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No shell has put the home folder into a settings file."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert load_config({"recordings": "~/clips"}, environment={}).recordings == tmp_path / "clips"


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        ({"fps": "fast"}, "fps = 'fast' in the flags"),
        ({"fps": "1000"}, "fps = '1000' in the flags must be a number from 0 to 240"),
        ({"strength": "80%"}, "strength = '80%' in the flags must be a number from 0 to 1.5. Did you mean 0.8?"),
        ({"strength": "120"}, "must be a number from 0 to 1.5. Did you mean 1.2?"),
        ({"strength": "80"}, "must be a number from 0 to 1.5. Did you mean 0.8?"),
        ({"strength": "800"}, "must be a number from 0 to 1.5.$"),
        ({"strength": "2"}, "must be a number from 0 to 1.5.$"),
        ({"process_size": "5"}, "process_size = 5 in the flags must be auto or a number from 64 to 2160"),
        ({"process_size": "big"}, "must be auto or a number from 64 to 2160"),
        ({"loop": "maybe"}, "must be true or false"),
        ({"threads": "1.5"}, "must be a whole number from 0 to 256"),
        ({"width": "0", "height": "720"}, "go together"),
        ({"stlye": "hayao"}, "Did you mean 'style'"),
    ],
)
def test_a_wrong_value_is_named_with_its_origin(flags: dict[str, str], text: str) -> None:
    """The error says which setting, where it stands and what is allowed."""
    with pytest.raises(ConfigError, match=text.replace("(", r"\(")) as caught:
        load_config(flags, environment={})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("stile = 'x'", "Unknown setting 'stile' in .*config.toml. Did you mean 'style'"),
        ("style = hayao", "not valid TOML.*in quotes"),
        ("output = 3", "output = 3 in .*config.toml must be a list of texts"),
        ("fps = 'many'", "fps = 'many' in .*config.toml"),
        ("process_size = 5", "process_size = 5 in .*config.toml must be auto or"),
        ("profile = 'meeting'", "a profile is a table .profiles.NAME. of the settings file"),
        ("[profile.meeting]\nfps = 24", "a profile is a table .profiles.NAME. of the settings file"),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, content: str, text: str) -> None:
    """A typo, broken TOML and a wrong value each name the file."""
    path = tmp_path / "config.toml"
    path.write_text(content)
    with pytest.raises(ConfigError, match=text):
        load_config({}, path, environment={})


def test_a_file_in_another_encoding_says_what_helps(tmp_path: Path) -> None:
    """As PowerShell's > writes it."""
    path = tmp_path / "config.toml"
    path.write_text('style = "hayao"', encoding="utf-16")
    with pytest.raises(ConfigError, match=r"config.toml is not in UTF-8: save it again with that encoding.$"):
        load_config({}, path, environment={})


def test_one_output_needs_no_list(tmp_path: Path) -> None:
    """output = "null" in a file is the list of one."""
    path = tmp_path / "config.toml"
    path.write_text('output = "null"')
    assert load_config({}, path, environment={}).output == ("null",)


def test_a_missing_file_or_profile_is_an_error(settings_file: Path, tmp_path: Path) -> None:
    """What was named must be there."""
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config({}, tmp_path / "none.toml", environment={})
    with pytest.raises(ConfigError, match=r"Unknown profile 'meetin'.*Did you mean 'meeting'"):
        load_config({}, settings_file, "meetin", environment={})


def test_a_typo_in_a_variable_names_the_nearest() -> None:
    """LIVEFILTER_STLYE is not ignored."""
    with pytest.raises(ConfigError, match="LIVEFILTER_STYLE"):
        load_config({}, environment={"LIVEFILTER_STLYE": "hayao"})


def test_settings_cannot_be_changed() -> None:
    """Config is frozen: a run reads one value."""
    with pytest.raises(ValueError, match="frozen"):
        Config().fps = 10  # type: ignore[misc]  # that is the point


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    """Windows' editors write one."""
    path = tmp_path / "config.toml"
    path.write_bytes(b'\xef\xbb\xbfstyle = "shinkai"\n')
    assert load_config({}, path, environment={}).style == "shinkai"


@pytest.mark.parametrize(
    ("content", "words"),
    [("profiles = 3", "must be tables"), ("[profiles]\nx = 3", "Profile x .* must be a table")],
)
def test_profiles_that_are_no_tables_are_told(tmp_path: Path, content: str, words: str) -> None:
    """With the way to write them."""
    path = tmp_path / "config.toml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=words):
        load_config({}, path, "x", environment={})


def test_an_empty_variable_is_not_set(tmp_path: Path) -> None:
    """Neither the file nor the profile."""
    assert load_config({}, environment={"LIVEFILTER_CONFIG": "", "LIVEFILTER_PROFILE": ""}).style
