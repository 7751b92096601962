"""Who is answered, and who is not."""

from __future__ import annotations

import dataclasses
import os
import socket
import stat
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from livefilter.output.page import PageSink
from livefilter.web import connections, peer
from livefilter.web.address import network_address
from livefilter.web.token import TokenFile
from tests.conftest import frame
from tests.fakes import until
from tests.web.client import ask, call, port_of
from tests.web.conftest import OPTIONS, Desk, open_desk

SECRET_PATHS = ["/stream.mjpg", "/snapshot.jpg", "/healthz", "/api/state", "/api/events", "/api/meters"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"},
        {"Host": "evil.example"},
    ],
)
def test_another_web_site_changes_nothing(desk: Desk, headers: dict[str, str]) -> None:
    """Forms, scripts, links and rebound names of other sites are refused before anything is done."""
    before = desk.settings.current
    status, answer = call(desk.page, "/api/actions/bypass?on=1", "POST", headers=headers)
    assert status == 403
    assert answer["error"]["what"] == "The request was refused."
    assert desk.settings.current is before


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {"Host": "rebound.example"}])
@pytest.mark.parametrize("path", SECRET_PATHS)
def test_another_web_site_reads_nothing(desk: Desk, path: str, headers: dict[str, str]) -> None:
    """Neither picture nor state, nor a WebSocket."""
    desk.page.send(frame())
    status, _, body = ask(desk.page, path, headers=headers | {"Upgrade": "websocket", "Connection": "Upgrade"})
    assert status == 403
    assert b"hayao" not in body
    assert b"\xff\xd8" not in body


def test_a_get_changes_nothing_without_the_token(desk: Desk) -> None:
    """/api/do needs the token even on this computer; a wrong one is refused; HEAD does nothing."""
    before = desk.settings.current
    token = TokenFile().ensure()
    assert ask(desk.page, "/api/do/bypass")[0] == 401
    assert ask(desk.page, "/api/do/bypass?token=")[0] == 401
    assert ask(desk.page, f"/api/do/bypass?token={token[:-1]}")[0] == 401
    assert ask(desk.page, "/api/actions/bypass")[0] == 405
    assert ask(desk.page, f"/api/do/bypass?token={token}", "HEAD")[0] == 405
    assert desk.settings.current is before
    assert ask(desk.page, f"/api/do/bypass?token={token}")[0] == 200
    assert ask(desk.page, "/api/do/bypass", headers={"Authorization": f"Bearer {token}"})[0] == 200


def test_tokens_cannot_be_guessed(desk: Desk) -> None:
    """After ten wrong ones from an address nothing is compared any more, even the right one."""
    token = TokenFile().ensure()
    for _ in range(10):
        assert ask(desk.page, "/api/do/bypass?token=wrong")[0] == 401
    assert ask(desk.page, f"/api/do/bypass?token={token}")[0] == 429
    assert ask(desk.page, "/api/state")[0] == 200, "without a token the own user is still answered"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_the_token_is_for_its_owner_alone(tmp_path: Path) -> None:
    """It is long, kept with mode 0600, and a new one counts at once."""
    kept = TokenFile(tmp_path / "deep" / "token")
    assert not kept.matches("")
    first = kept.ensure()
    path = tmp_path / "deep" / "token"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(first) >= 32
    assert kept.ensure() == first
    assert kept.matches(first)
    second = TokenFile(path).renew()
    os.utime(path, ns=(1, 1))
    assert kept.matches(second)
    assert not kept.matches(first)
    assert [each.name for each in path.parent.iterdir()] == ["token"]


def test_the_command_prints_the_token() -> None:
    """`livefilter token` makes it, prints the same one again, and another one with --new."""
    from livefilter.cli.token import token

    first, again, other = (CliRunner().invoke(token, words).output for words in ([], [], ["--new"]))
    assert first == again != other
    assert len(other.strip()) >= 32


@pytest.fixture
def lan_desk() -> Iterator[Desk]:
    """A page that others on the network may open with the token."""
    opened = open_desk(dataclasses.replace(OPTIONS, lan=True))
    yield opened
    opened.page.close()


def test_on_the_network_only_the_token_opens(lan_desk: Desk) -> None:
    """From a network address pages come without a picture, and everything else needs the token."""
    address = network_address()
    if address is None:
        pytest.skip("this computer has no network address")
    assert lan_desk.page.notice is not None
    assert TokenFile().current in lan_desk.page.notice
    lan_desk.page.send(frame())
    assert ask(lan_desk.page, "/", address=address)[0] == 200
    for path in SECRET_PATHS:
        assert ask(lan_desk.page, path, address=address)[0] == 401
        assert ask(lan_desk.page, path, address=address, headers={"Host": f"127.0.0.1:{port_of(lan_desk.page)}"})[
            0
        ] in (401,), "a network client that names the loopback"
    token = TokenFile().current
    assert ask(lan_desk.page, f"/snapshot.jpg?token={token}", address=address)[0] == 200
    assert ask(lan_desk.page, "/api/actions/bypass", "POST", address=address)[0] == 401
    assert call(lan_desk.page, f"/api/actions/bypass?token={token}", "POST", address=address)[0] == 200
    evil = {"Origin": "http://evil.example"}
    assert ask(lan_desk.page, f"/api/actions/bypass?token={token}", "POST", address=address, headers=evil)[0] == 403


def test_without_lan_nothing_listens_beyond_this_computer(desk: Desk) -> None:
    """The network address does not answer at all."""
    address = network_address()
    if address is None:
        pytest.skip("this computer has no network address")
    with pytest.raises(OSError, match=r"refused|timed out"):
        socket.create_connection((address, port_of(desk.page)), timeout=5)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells")
@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_the_user_at_the_other_end_is_known(family: socket.AddressFamily) -> None:
    """The kernel's table names the owner of a connection, also of one from an IPv6 socket to an IPv4 address."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(family) as client:
        if family is socket.AF_INET6:
            try:
                client.connect((f"::ffff:{server.getsockname()[0]}", server.getsockname()[1]))
            except OSError as error:
                pytest.skip(f"no IPv6 here: {error}")
        else:
            client.connect(server.getsockname())
        ours, address = server.accept()
        with ours:
            assert peer.is_own_user(address, ours.getsockname())


def test_another_users_connection_is_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is neither the own user nor root gets pages but nothing to see or do, unless with the token."""
    monkeypatch.setattr("livefilter.web.guard.is_own_user", lambda *ends: False)
    desk.page.send(frame())
    for path in SECRET_PATHS:
        assert ask(desk.page, path)[0] == 403
    assert ask(desk.page, "/api/actions/bypass", "POST")[0] == 403
    assert ask(desk.page, f"/snapshot.jpg?token={TokenFile().ensure()}")[0] == 200


TABLE = """  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:20E4 0100007F:C350 01 00000000:00000000 00:00000000 00000000  {us}        0 111 1
   1: 0100007F:C350 0100007F:20E4 {state} 00000000:00000000 00:00000000 00000000  {owner}        0 {inode} 1
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells")
@pytest.mark.parametrize(
    ("owner", "inode", "allowed"),
    [("us", 5, True), ("0", 5, True), ("12345", 5, False), ("0", 0, False), (None, 0, False)],
)
def test_the_kernels_table_decides(
    owner: str | None, inode: int, allowed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Own user and root pass; another user does not, nor one who has closed his end, who cannot be told from root."""
    us = os.geteuid()
    text = TABLE.format(us=us, state="01", owner=us if owner == "us" else owner, inode=inode)
    if owner is None:
        text = "\n".join(text.splitlines()[:2])
    (tmp_path / "tcp").write_text(text)
    monkeypatch.setattr(peer, "_TABLES", (str(tmp_path / "tcp"),))
    if sys.byteorder != "little":
        pytest.skip("the table above is as little-endian machines print it")
    assert peer.is_own_user(("127.0.0.1", 0xC350), ("127.0.0.1", 0x20E4)) is allowed


def test_connections_are_bounded_and_the_silent_ones_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections that say nothing, or half a request, make room again, and never end the show."""
    monkeypatch.setattr(connections, "MAX_CONNECTIONS", 20)
    monkeypatch.setattr(connections.Connections.__init__, "__defaults__", (0.5,))
    with PageSink("0", OPTIONS) as page:
        held = [socket.create_connection(("127.0.0.1", port_of(page)), timeout=60) for _ in range(60)]
        try:
            for each in held[:20:2]:
                each.sendall(b"GET / HTTP/1.1\r\nHost: 127.0")
            page.send(frame())
            ended = threading.Event()

            def all_closed() -> bool:
                for each in list(held):
                    each.setblocking(False)
                    try:
                        if each.recv(4096) == b"":
                            held.remove(each)
                    except BlockingIOError:
                        pass
                    except ConnectionError:
                        held.remove(each)
                return not held

            until(all_closed, "every silent connection is ended")
            ended.set()
            until(lambda: _answers(page), "a new visitor is answered")
        finally:
            for each in held:
                each.close()


def _answers(page: PageSink) -> bool:
    try:
        return ask(page, "/snapshot.jpg")[0] == 200
    except OSError:
        return False
