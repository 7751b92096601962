"""Keys, tokens and passwords are in nothing that is printed, logged or raised, however an address is written."""

from __future__ import annotations

import json
import logging
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livefilter.capture.base import SourceOptions
from livefilter.capture.open import open_source
from livefilter.config import load_config
from livefilter.errors import LivefilterError
from livefilter.masking import mask_address, mask_text
from livefilter.output.base import SinkOptions
from livefilter.output.open import open_sink
from livefilter.output.video.relay import RelayFailed
from tests.obs.fake_obs import FakeObs

PLANTED = "s3cr3tK3y"
keys = st.text("abcXYZ019-_.~", min_size=1, max_size=12).map(lambda text: PLANTED + text)
hosts = st.sampled_from(["host", "127.0.0.1:1", "[::1]:1", "live.example.org:1935"])
schemes = st.sampled_from(["rtmp", "rtmps", "rmtp", "RTMP", "rtpm", "trmp", "rtmpt"])
slashes = st.sampled_from(["://", ":/", "//"])
names = st.sampled_from(
    [
        *("access_token", "api_key", "apikey", "token", "key", "pass", "password", "pwd", "passphrase", "auth", "sig"),
        *("sid", "streamid", "secret", "X-Amz-Signature", "user", "login", "unheard_of"),
    ]
)
readable = st.sampled_from(["http", "https", "rtsp", "srt", "udp", "tcp", "htpp", "rstp"])


@st.composite
def addresses(draw: st.DrawFn) -> str:
    """An address with one or two planted keys, where services put them and where users do by mistake."""
    key, host = draw(keys), draw(hosts)
    kind = draw(st.integers(0, 6))
    if kind == 0:
        return f"{draw(schemes)}{draw(slashes)}{host}/live/{key}"
    if kind == 1:
        return f"{draw(schemes)}://{host}/app/instance/{key}?x={key}"
    if kind == 2:
        return f"{draw(readable)}://{host}/video?{draw(names)}={key}&fps=3"
    if kind == 3:
        return f"{draw(readable)}://me:{key}@{host}/cam"
    if kind == 4:
        return f"{draw(readable)}://me:{key[:10]}/{key}@{key}@{host}/cam"
    if kind == 5:
        return f"srt://{host}?latency=3&streamid=#!::r=live,u=me,s={key}&passphrase={key}"
    return f"rtmp://{host}/live user=me password={key}"


@settings(max_examples=400)
@given(address=addresses(), before=st.sampled_from(["", "stream:"]), quote=st.sampled_from(["", "'", '"']))
def test_no_form_of_an_address_shows_its_key(address: str, before: str, quote: str) -> None:
    """Neither when it is shown by itself nor in the words of a library."""
    assert PLANTED not in mask_address(before + address)
    assert PLANTED not in mask_text(f"Error opening output {quote}{before}{address}{quote}: Input/output error")


@pytest.mark.parametrize(
    "address",
    [
        "rtsp://cam.local:554/stream1",
        "http://127.0.0.1:8420/?clean=1",
        "udp://239.0.0.1:5000?ttl=4&pkt_size=1316",
        "https://example.org/@artist/clip.mp4",
        "srt://host:9000?mode=caller&latency=200",
        "rtmp://host/live",
        "clip.mp4",
        "/dev/video0",
        "usb-0000:00:14.0-1",
    ],
)
def test_what_is_no_secret_is_shown(address: str) -> None:
    """A user can tell which address is meant."""
    assert mask_address(address) == mask_text(address) == address


@settings(max_examples=40)
@given(address=addresses().filter(lambda text: not text.startswith(("http", "rtsp", "tcp", "udp:", "srt:"))))
def test_no_error_tells_a_key(address: str) -> None:
    """Wrong addresses of inputs, of outputs, and in a list of settings with one wrong entry."""
    for attempt in (
        lambda: open_sink(address if "rtmp:/" not in address.lower() else "x" + address, SinkOptions(64, 48, 30.0)),
        lambda: open_source(f"x{address}", SourceOptions()),
        lambda: load_config({"output": [address, 5]}, environment={}),
        lambda: load_config({"strength": address}, environment={}),
    ):
        with pytest.raises(LivefilterError) as caught:
            attempt()
        assert PLANTED not in str(caught.value)


@pytest.mark.parametrize(
    "words",
    [
        ["run", "-i", "demo", "-o", f"rtmp://127.0.0.1:1/live/{PLANTED}"],
        ["run", "-i", "demo", "-o", f"null,rmtp://127.0.0.1:1/live/{PLANTED}"],
        ["run", "-i", "demo", "-o", f"https://127.0.0.1:1/live2/{PLANTED}"],
        ["run", "-i", f"http://127.0.0.1:1/video?access_token={PLANTED}", "-o", "null"],
        ["run", f"rtmp://127.0.0.1:1/live/{PLANTED}"],
        ["render", f"rtmp://127.0.0.1:1/live/{PLANTED}", "out.mp4"],
        ["--config-that-is-none", f"rtmp://127.0.0.1:1/live/{PLANTED}"],
    ],
    ids=["output", "list", "scheme", "input", "extra word", "render", "option"],
)
def test_no_command_prints_a_key(tmp_path: Path, words: list[str]) -> None:
    """Not even where everything is logged, libav's own lines included."""
    command = [sys.executable, "-m", "livefilter", *(["-vvv"] if words[0] == "run" else []), *words]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode in (1, 2)
    assert done.stderr
    assert PLANTED not in done.stdout + done.stderr
    assert PLANTED not in json.dumps(done.stderr)


def test_no_log_tells_the_password_of_obs(tmp_path: Path) -> None:
    """Neither a right one nor a wrong one, with everything logged; what goes over the connection is a hash of it."""
    settings = tmp_path / "config.toml"
    settings.write_text(f'[obs]\npassword = "{PLANTED}"\n', encoding="utf-8")
    words = ["-i", "demo", "-o", "null", "--width", "64", "--height", "48", "--process-size", "64", "--duration", "3"]
    for right in (PLANTED, "another one"):
        with FakeObs(right) as obs:
            command = [
                sys.executable,
                "-m",
                "livefilter",
                "-vvv",
                "run",
                "--config",
                str(settings),
                "--obs",
                obs.address,
            ]
            done = subprocess.run(
                [*command, *words, "--json"], cwd=tmp_path, capture_output=True, text=True, timeout=200, check=False
            )
            assert done.returncode == 0, done.stderr
            assert json.loads(done.stdout)["obs"]["connected"] == (right == PLANTED), done.stderr
            assert PLANTED not in done.stdout + done.stderr + repr(obs.asked)


def test_no_key_is_logged() -> None:
    """The program's formatter masks what a library logs by itself."""
    from livefilter.cli.main import _HarmlessFormatter

    text = "rtmp://host/live/%s"
    record = logging.LogRecord("libav", logging.ERROR, "", 0, text, (PLANTED,), None)
    assert _HarmlessFormatter("%(message)s").format(record) == "rtmp://host/live/***"


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="this system shows no arguments of processes")
def test_no_key_is_among_the_arguments_of_ffmpeg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody on the machine can read those: the secrets of SRT go through a file that only the owner can read."""
    from livefilter.output.video import stream

    seen: list[list[str]] = []

    def refuse(command: list[str], first: bytes, **options: object) -> None:
        seen.append(command)
        if not command[0].endswith("ffmpeg"):
            raise RelayFailed("Protocol not found")
        preset = Path(command[command.index("-fpre") + 1])
        assert preset.stat().st_mode & 0o077 == 0
        assert f"passphrase={PLANTED}" in preset.read_text()
        assert f"streamid=#!::r=live,s={PLANTED}" in preset.read_text()
        raise RelayFailed("nobody there")

    monkeypatch.setattr(stream, "Relay", refuse)
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/ffmpeg")
    with pytest.raises(LivefilterError, match="nobody there"):
        stream.StreamSink(
            f"srt://127.0.0.1:9?latency=3&streamid=%23!::r=live,s={PLANTED}&passphrase={PLANTED}",
            SinkOptions(64, 48, 30.0),
        )
    assert len(seen) == 2
    assert PLANTED not in repr(seen)
    assert "srt://127.0.0.1:9?latency=3" in seen[1]
    assert not Path(seen[1][seen[1].index("-fpre") + 1]).exists()
