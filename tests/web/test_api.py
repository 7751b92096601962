"""The API as a program sees it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livefilter.control.actions import BARE, BY_NAME
from livefilter.errors import InvalidInput
from livefilter.web.openapi import document, reference
from livefilter.web.token import TokenFile
from tests.web.client import ask, call
from tests.web.conftest import Desk, open_desk

ROOT = Path(__file__).resolve().parents[2]


def test_the_state_tells_what_is_set_and_what_runs(desk: Desk) -> None:
    """One call shows settings, styles, outputs and notices."""
    status, state = call(desk.page, "/api/state")
    assert status == 200
    assert (state["live"], state["style"], state["strength"], state["input"]["name"]) == (
        True, "hayao", 1.0, "fake camera",
    )  # fmt: skip
    assert {style["name"] for style in state["styles"]} >= {"hayao", "paprika"}
    assert state["notices"][0]["text"] == "said before"
    desk.controller.perform("bypass")
    state = call(desk.page, "/api/state")[1]
    assert state["bypass"] is True
    assert "raw camera" in state["notices"][-1]["text"]


@pytest.mark.parametrize("how", ["json", "query", "do"])
def test_an_action_comes_as_json_as_query_or_with_a_token(desk: Desk, how: str) -> None:
    """All three ways have the same effect."""
    if how == "json":
        answer = call(desk.page, "/api/actions/strength", "POST", body='{"value": 0.25}')
    elif how == "query":
        answer = call(desk.page, "/api/actions/strength?value=0.25", "POST")
    else:
        answer = call(desk.page, f"/api/do/strength?value=0.25&token={TokenFile().ensure()}")
    assert answer == (200, {"done": "strength"})
    assert desk.settings.current.strength == 0.25


@pytest.mark.parametrize("name", BARE)
def test_every_action_of_the_table_can_be_called(desk: Desk, name: str) -> None:
    """What a key can do, a POST without a body can."""
    before = desk.settings.current
    assert call(desk.page, f"/api/actions/{name}", "POST") == (200, {"done": name})
    assert desk.settings.current is not before


@pytest.mark.parametrize(
    ("path", "body", "status", "says"),
    [
        ("/api/actions/strength", '{"value": 2}', 400, "value of strength must be a number from 0 to 1"),
        ("/api/actions/strength", "[1]", 400, "no JSON object"),
        ("/api/actions/strength", "{", 400, "no JSON object"),
        ("/api/actions/strength", "[" * 30000, 400, "no JSON object"),
        ("/api/actions/strength", '{"value": 1e999}', 400, "value of strength must be"),
        ("/api/actions/style", '{"name": "papprika"}', 400, "Did you mean 'paprika'"),
        ("/api/actions/nothing", "", 404, "Unknown action 'nothing'"),
        ("/api/actions/style_10", "", 404, "Unknown action 'style_10'"),
        ("/api/actions/", "", 404, "Not Found"),
        ("/api/actions/strength", "x" * 100_000, 413, ""),
        ("/api/state", "", 405, "Method Not Allowed"),
    ],
)
def test_a_refusal_says_what_why_and_how_to_mend_it(desk: Desk, path: str, body: str, status: int, says: str) -> None:
    """Every error has the same three fields and the right status; nothing has changed."""
    before = desk.settings.current
    got, answer = call(desk.page, path, "POST", body=body)
    assert (got, set(answer), set(answer["error"])) == (status, {"error"}, {"what", "why", "fix"})
    assert says in f"{answer['error']['why']} {answer['error']['fix']}"
    assert desk.settings.current is before


def test_a_style_number_without_a_style_is_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The table has nine of these actions whatever there is: those beyond it are not found, and nothing changes."""
    monkeypatch.setattr(desk.controller, "_styles", ("hayao", "paprika"))
    before = desk.settings.current
    for query in ("", "?for_s=3"):
        status, answer = call(desk.page, f"/api/actions/style_9{query}", "POST")
        assert (status, answer["error"]["why"]) == (404, "Unknown style number '9'.")
        assert "1 hayao, 2 paprika" in answer["error"]["fix"]
    assert desk.settings.current is before


def test_others_are_told_names_and_not_places(desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Input, outputs and notices keep their last part alone, over HTTP and the WebSocket; the own user sees all."""
    films, clips = tmp_path / "my films", tmp_path / "my clips"
    desk.run.input_name = f"{films}/me and you.mp4"
    desk.run.outputs.append({"name": f"recording {films}/out.mkv", "state": "on"})
    desk.settings.change(notice=f"Recorded {clips}/now.mp4")
    desk.settings.change(
        notice="Engine /opt/some/place/x.plan; see http://127.0.0.1:8420/setup and C:\\Users\\me\\a.txt"
    )
    desk.settings.change(notice=f"Staying with demo: {Path.home()}/Our Videos/b.mp4 is damaged, 25/30 read")
    room = desk.page._server.site.room
    desk.page.steer(room, folders=[clips, Path.home() / "Our Videos"])
    assert str(films) in json.dumps(call(desk.page, "/api/state"))
    monkeypatch.setattr("livefilter.web.guard.is_own_user", lambda peer, here: False)
    headers = {"Authorization": f"Bearer {TokenFile().ensure()}"}
    told = call(desk.page, "/api/state", headers=headers)[1]
    assert told["input"]["name"] == "me and you.mp4"
    assert told["outputs"][-1]["name"] == "recording out.mkv"
    assert [each["text"] for each in told["notices"]] == [
        "said before",
        "Recorded now.mp4",
        "Engine x.plan; see http://127.0.0.1:8420/setup and a.txt",
        "Staying with demo: b.mp4 is damaged, 25/30 read",
    ]

    async def first_message() -> str:
        address = f"{desk.page.url.replace('http', 'ws')}api/events"
        async with aiohttp.ClientSession() as session, session.ws_connect(address, headers=headers) as socket:
            return str((await socket.receive(60)).data)

    assert json.loads(asyncio.run(first_message()))["state"] == told


def test_others_hear_no_places_from_findings_and_refusals(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The doctor's rows and what an error says keep names alone, over HTTP and the WebSocket; the own user sees all."""

    def perform(name: str, values: dict[str, Any]) -> None:
        raise InvalidInput(f"The picture {tmp_path}/beach.png cannot be read.", fix=f"Look into {tmp_path}/a folder/x.")

    room = desk.page._server.site.room
    monkeypatch.setattr(room, "perform", perform)
    row = {"name": "Settings", "detail": f"{Path.home()}/.config/livefilter/config.toml"}
    desk.page.steer(room, doctor=lambda: [row], folders=[tmp_path / "a folder"])
    headers = {"Authorization": f"Bearer {TokenFile().ensure()}"}

    def refused() -> dict[str, str]:
        found: dict[str, str] = call(desk.page, "/api/actions/bypass", "POST", headers=headers)[1]["error"]
        return found

    async def over_the_socket() -> Any:
        address = f"{desk.page.url.replace('http', 'ws')}api/events"
        async with aiohttp.ClientSession() as session, session.ws_connect(address, headers=headers) as socket:
            await socket.send_json({"type": "action", "name": "bypass"})
            while (told := await socket.receive_json(timeout=60))["type"] != "error":
                pass
            return told["error"]

    assert call(desk.page, "/api/doctor")[1]["rows"] == [row]
    assert str(tmp_path) in refused()["why"]
    monkeypatch.setattr("livefilter.web.guard.is_own_user", lambda peer, here: False)
    assert call(desk.page, "/api/doctor", headers=headers)[1]["rows"] == [{"name": "Settings", "detail": "config.toml"}]
    assert (refused()["why"], refused()["fix"]) == ("The picture beach.png cannot be read.", "Look into x.")
    assert asyncio.run(over_the_socket()) == refused()


def test_without_a_run_actions_say_so() -> None:
    """A page over nothing, as while a run is being opened, refuses with 503."""
    opened = open_desk()
    try:
        from livefilter.web.site import EmptyRoom

        opened.page.steer(EmptyRoom())
        assert call(opened.page, "/api/state") == (200, {"live": False})
        status, answer = call(opened.page, "/api/actions/bypass", "POST")
        assert (status, answer["error"]["why"]) == (503, "No live run is on.")
    finally:
        opened.page.close()


def test_the_description_has_every_action_and_is_valid(desk: Desk) -> None:
    """openapi.json is what the table says, and its references resolve."""
    status, described = call(desk.page, "/api/openapi.json")
    assert (status, described) == (200, json.loads(json.dumps(document())))
    for name, action in BY_NAME.items():
        operation = described["paths"][f"/api/actions/{name}"]["post"]
        assert [each["name"] for each in operation.get("parameters", [])] == [each.name for each in action.takes]
    assert described["components"]["schemas"]["Error"]["required"] == ["error"]


def test_the_reference_in_the_docs_is_generated_from_the_table() -> None:
    """docs/api.md has the table of actions as it is now: python -m livefilter.web.openapi prints it."""
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    begin, end = "<!-- actions: generated -->\n", "\n<!-- end of actions -->"
    assert text[text.index(begin) + len(begin) : text.index(end)] == reference()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
NAMES = st.sampled_from(sorted({each.name for action in BY_NAME.values() for each in action.takes})) | st.text()


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from([name for name in BY_NAME if name != "quit"]),
    body=st.dictionaries(NAMES, JSON, max_size=4) | JSON,
)
def test_nothing_that_is_sent_breaks_the_server(desk: Desk, name: str, body: Any) -> None:
    """Whatever comes as parameters, the answer is 200 or a refusal, never 500."""
    status, answer = call(desk.page, f"/api/actions/{name}", "POST", body=json.dumps(body))
    assert status in (200, 400, 429), answer


OPERATIONS = [
    (method, path, operation)
    for path, operations in document()["paths"].items()
    for method, operation in operations.items()
    if not path.endswith("/quit")
]


def fitting(described: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that a schema of ours allows."""
    if "enum" in described:
        return st.sampled_from(described["enum"])
    if described["type"] == "string":
        return st.text(max_size=30)
    if described["type"] == "boolean":
        return st.booleans()
    bounds = {"min_value": described["minimum"], "max_value": described["maximum"]}
    if described["type"] == "integer":
        return st.integers(**{name: int(value) for name, value in bounds.items()})
    return st.floats(**bounds, allow_nan=False)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data(), operation=st.sampled_from(OPERATIONS))
def test_every_answer_is_one_that_the_description_names(desk: Desk, data: Any, operation: Any) -> None:
    """Values that fit the OpenAPI document, values that do not, and what it has never heard of: never 500."""
    method, path, described = operation
    parameters = described.get("parameters", [])
    odd = st.text(max_size=10) | st.integers().map(str) | st.sampled_from(["nan", "1e999", "-1", "true", "", "\0"])
    query = {
        each["name"]: str(data.draw(st.one_of(fitting(each["schema"]), odd)))
        for each in parameters
        if each["required"] or data.draw(st.booleans())
    }
    query |= data.draw(st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=1))
    if path.startswith("/api/do/") and data.draw(st.booleans()):
        query["token"] = TokenFile().ensure()
    body: str | None = None
    if "requestBody" in described:
        known = described["requestBody"]["content"]["application/json"]["schema"]["properties"]
        fields = {name: st.one_of(fitting(each), JSON) for name, each in known.items()}
        body = json.dumps(data.draw(st.fixed_dictionaries({}, optional=fields) | JSON))
    status, _, answer = ask(desk.page, f"{path}?{urlencode(query)}", method.upper(), body=body)
    assert str(status) in described["responses"], (status, answer)
    if path.startswith("/api/") and status != 200:
        assert set(json.loads(answer)["error"]) == {"what", "why", "fix"}


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "HEAD", "DELETE"]),
    path=st.text(max_size=30),
    body=st.binary(max_size=50),
)
def test_no_address_breaks_the_server(desk: Desk, method: str, path: str, body: bytes) -> None:
    """Any path under /api is answered with a status below 500."""
    from urllib.parse import quote

    assert ask(desk.page, f"/api/{quote(path)}", method, body=body)[0] < 500
