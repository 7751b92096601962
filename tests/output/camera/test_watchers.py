"""Who has a device open; a plain file does as the device, the kernel tells the same of both."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="inotify is a part of Linux")


def test_openings_and_closings_are_followed(tmp_path: Path) -> None:
    """Two clients, one of whom opens twice: watched until the last has closed."""
    from livefilter.output.camera.watchers import Watchers

    device = tmp_path / "video9"
    device.touch()
    with device.open("r+b"), Watchers(str(device)) as watchers:
        assert not watchers.any(), "our own hold on it does not count"
        first = device.open("rb")
        assert watchers.any()
        second = device.open("r+b")
        first.close()
        assert watchers.any()
        second.close()
        assert not watchers.any()
        device.open("rb").close()
        assert not watchers.any()


def test_clients_from_before_count_until_they_close(tmp_path: Path) -> None:
    """A browser that had the camera open before livefilter was started again is a watcher."""
    from livefilter.output.camera.watchers import Watchers

    device = tmp_path / "video9"
    device.touch()
    code = "import sys; f = open(sys.argv[1]); print('open', flush=True); sys.stdin.readline()"
    command = [sys.executable, "-c", code, str(device)]
    client = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert client.stdout is not None
        assert client.stdout.readline() == "open\n"
        with Watchers(str(device)) as watchers:
            assert watchers.any()
            client.communicate("end\n", timeout=60)
            assert not watchers.any()
    finally:
        client.kill()
        client.wait(60)
