"""One bad style hurts no other, says so once, and steers no terminal."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livefilter.errors import LivefilterError, StyleCorrupt
from livefilter.styles.card import CARD, read_card
from livefilter.styles.catalogue import Catalogue
from livefilter.styles.patience import within
from livefilter.styles.user_styles import UserStyles
from livefilter.text import printable, shown
from tests.hostile.lonely import NOT_ALLOWED

GOOD = """
name = "good"
title = "Good"
licence = "CC0-1.0"
order = {order}

[networks.lite]
file = "lite.onnx"
sha256 = "{sha256}"
"""
BAD = {
    "infinite order": "order = inf",
    "no number": "order = nan",
    "huge": f"order = {'9' * 400}",
    "thousands of digits": f"order = {'9' * 5000}",
    "negative": "order = -1",
    "deep lists": f"order = {'[' * 20000}{']' * 20000}",
    "deep tables": f"order = {'{a=' * 3000}1{'}' * 3000}",
    "a date": "order = 1979-05-27T07:32:00Z",
    "a list": "order = [1, 2]",
    "endless text": f"order = '{'x' * (1 << 19)}'",
    "not UTF-8": "order = '\udcff'",
    "a null": "order = '\0'",
}


def write_style(root: Path, name: str, order: str = "1", extra: str = "") -> Path:
    """Write a folder with a card."""
    folder = root / name
    folder.mkdir(parents=True)
    (folder / "lite.onnx").write_bytes(b"network")
    card = GOOD.format(order=order, sha256="0" * 64).replace('"good"', f'"{name}"', 1) + extra
    (folder / CARD).write_bytes(card.encode("utf-8", "surrogateescape"))
    return folder


def catalogue(root: Path) -> Catalogue:
    """Look for styles, for a few seconds at most: a card may not make anybody wait."""
    found: list[Catalogue] = []
    looking = threading.Thread(target=lambda: found.append(Catalogue(user=root)), daemon=True)
    looking.start()
    looking.join(20.0)
    assert found, "looking for styles did not end, or ended in an error"
    return found[0]


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_card_is_skipped_with_one_warning(tmp_path: Path, kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever is wrong with it, the style beside it is there; the warning comes once, is short and has no escapes."""
    write_style(tmp_path, "good")
    write_style(tmp_path, "bad").joinpath(CARD).write_bytes(
        GOOD.format(order=BAD[kind].removeprefix("order = "), sha256="0" * 64).encode("utf-8", "surrogateescape")
    )
    with caplog.at_level(logging.WARNING):
        names = {style.name for style in catalogue(tmp_path).styles}
        catalogue(tmp_path)
    assert "good" in names
    assert "bad" not in names
    (warning,) = [record.getMessage() for record in caplog.records]
    assert str(tmp_path / "bad" / CARD) in warning
    assert len(warning) < 600
    assert warning.isprintable()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize("what", ["pipe", "folder", "link to itself", "device"])
def test_a_card_that_is_no_file_is_skipped(tmp_path: Path, what: str) -> None:
    """A named pipe was waited for, for ever."""
    write_style(tmp_path, "good")
    card = write_style(tmp_path, "bad") / CARD
    card.unlink()
    if what == "pipe":
        os.mkfifo(card)
    elif what == "folder":
        card.mkdir()
    elif what == "device":
        card.symlink_to("/dev/zero")
    else:
        card.symlink_to(card)
    found = catalogue(tmp_path)
    assert "good" in {style.name for style in found.styles}
    if what != "link to itself":  # which is not even found
        assert [broken.name for broken in found.broken] == ["bad"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Linux with FUSE")
@pytest.mark.parametrize("what", ["one style", "all styles"])
def test_a_folder_that_does_not_answer_keeps_no_run_from_starting(tmp_path: Path, what: str) -> None:
    """A share whose server is gone was waited for, for ever; now it is left out in seconds, and the rest is there."""
    styles = tmp_path / "livefilter" / "styles"
    folder = styles / "share" if what == "one style" else styles
    folder.mkdir(parents=True)
    command = ["run", "-i", "demo", "-o", "null", "--process-size", "64", "--backend", "onnxruntime", "--frames", "3"]
    beside = [sys.executable, "-m", "tests.hostile.mounts", "silent", str(folder)]
    done = subprocess.run(
        [*beside, sys.executable, "-m", "livefilter", *command],
        env=os.environ | {"XDG_DATA_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)},
        cwd=Path(__file__).resolve().parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    if done.returncode == NOT_ALLOWED:
        pytest.skip(done.stdout.strip())
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("does not answer") == 1
    assert "frames styled" in done.stdout


def test_a_folder_that_answers_again_is_there_again(tmp_path: Path) -> None:
    """While one look hangs there is no second one; once it has come back the style is found."""
    gate, looks = threading.Event(), []

    def look() -> str:
        looks.append(threading.current_thread())
        assert gate.wait(60)
        return "found"

    for _ in range(3):
        with pytest.raises(TimeoutError):
            within(tmp_path, look, 0.01)
    assert len(looks) == 1
    gate.set()
    looks[0].join(60)
    assert within(tmp_path, look, 60) == "found"
    with pytest.raises(StyleCorrupt):
        within(tmp_path, lambda: read_card(tmp_path), 60)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    key=st.sampled_from(["order", "title", "size", "file", "figures", "networks", "name", "picture", "sha256"]),
    value=st.sampled_from(
        ["inf", "-inf", "nan", "''", "{}", "[[[]]]", "true", "1e400", "'../x'", "'\\u001b[31m'", "'\\n'"]
    ),
)
def test_no_value_of_any_entry_ends_a_command(tmp_path_factory: pytest.TempPathFactory, key: str, value: str) -> None:
    """A card is read, or refused with an error of our own."""
    root = tmp_path_factory.mktemp("styles")
    folder = write_style(root, "odd")
    (folder / CARD).write_text(f"{key} = {value}\n[networks.lite]\n{key} = {value}\n", encoding="utf-8")
    with pytest.raises(StyleCorrupt) as refused:
        read_card(folder)
    assert str(refused.value).isprintable()


def test_no_escape_sequence_of_a_card_reaches_the_terminal(tmp_path: Path) -> None:
    """Titles, licences, credits and the names of files could move the cursor, or write into the title bar."""
    escape = "\\u001b]0;owned\\u0007\\u202e\\u009b2J"
    folder = write_style(tmp_path, "loud")
    card = (folder / CARD).read_text().replace('title = "Good"', f'title = "Go{escape}od"\ncredit = "{escape}"')
    (folder / CARD).write_text(card)
    style = read_card(folder)
    for text in (style.title, style.credit):
        assert text.isprintable()
        assert "owned" in text


def test_no_message_steers_a_terminal() -> None:
    """What a library quotes from a file is written out, and what is no escape is left alone."""
    assert str(LivefilterError("bad \x1b[2J name\x07")) == "bad \\x1b[2J name\\x07"
    assert printable("フィルター 👩‍🎨 é\n\tok") == "フィルター 👩‍🎨 é\n\tok"
    deep: list[object] = []
    for _ in range(sys.getrecursionlimit() * 2):
        deep = [deep]
    assert shown(deep) == "a list"


def test_a_broken_style_can_be_named_and_removed_with_words(tmp_path: Path) -> None:
    """Whoever chooses it is told why it cannot be had."""
    write_style(tmp_path, "bad", order="inf")
    with pytest.raises(StyleCorrupt, match="order"):
        catalogue(tmp_path).get("bad")
    with pytest.raises(StyleCorrupt, match="order"):
        UserStyles(tmp_path).find("bad")
