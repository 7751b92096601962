"""Which clusters are joined and which are refused."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from livefilter.cluster import start as module
from livefilter.cluster.addresses import check_words, host_of, refuse_public
from livefilter.cluster.start import start, why_no_ray
from livefilter.errors import ClusterUnavailable, InvalidInput


@pytest.mark.parametrize("words", ["auto", "local", "ray://10.0.0.5:10001", "head.studio.lan:6379", "[::1]:6379"])
def test_addresses_of_clusters(words: str) -> None:
    """These are taken as they are."""
    assert check_words(words) == words


@pytest.mark.parametrize("words", ["", "remote", "http://10.0.0.5:80", "10.0.0.5", "10.0.0.5:0", "10.0.0.5:70000"])
def test_what_is_no_address_of_a_cluster(words: str) -> None:
    """The error says what is allowed."""
    with pytest.raises(InvalidInput, match="ray://HOST:PORT"):
        check_words(words)


@pytest.mark.parametrize("host", ["8.8.8.8", "2606:4700::1111", "100.64.0.1"])
def test_public_addresses_are_refused_unless_trusted(host: str) -> None:
    """Ray does not encrypt; the error names the address and the flag."""
    with pytest.raises(ClusterUnavailable, match=r"--trust-network"):
        refuse_public([host], trusted=False)
    refuse_public([host], trusted=True)


@pytest.mark.parametrize("host", ["127.0.0.1", "10.1.2.3", "192.168.0.9", "172.16.4.4", "fd00::1", "::1", "localhost"])
def test_private_addresses_are_taken(host: str) -> None:
    """Of this machine, and of networks that the internet does not reach."""
    refuse_public([host], trusted=False)


def test_the_host_of_an_address() -> None:
    """Without the port and the brackets."""
    assert [host_of(one) for one in ("ray://a.b:1", "c:2", "[::1]:3")] == ["a.b", "c", "::1"]


def test_without_ray_the_error_has_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing of Ray is imported to find that out; it is as true of a wall as of a render, so it names neither."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ClusterUnavailable, match=r"livefilter\[cluster\]") as raised:
        start("local", cores=1, trusted=False)
    assert "ender" not in str(raised.value)


@pytest.mark.parametrize(("version", "good"), [("2.51.9", False), ("2.52.0", True), ("3.0.0", True)])
def test_an_old_ray_is_refused(monkeypatch: pytest.MonkeyPatch, version: str, good: bool) -> None:
    """Before 2.52 it has no token."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr("importlib.metadata.version", lambda name: version)
    assert (why_no_ray() is None) == good


def test_a_cluster_is_not_joined_without_a_token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The error says how to make one; nothing is connected before."""
    monkeypatch.setattr(module, "why_no_ray", lambda: None)
    for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(ClusterUnavailable, match="get-auth-token --generate"):
        start("10.0.0.1:6379", cores=1, trusted=False)
