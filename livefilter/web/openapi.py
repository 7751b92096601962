"""The API's description, made from the table of actions: OpenAPI for programs, docs/api.md for people."""

from __future__ import annotations

from typing import Any

from livefilter import __version__
from livefilter.control.actions import BY_NAME, Action, Parameter

_REFUSALS = {
    "400": "a parameter is wrong",
    "401": "the token is missing or wrong",
    "403": "it comes from another web site or user",
    "404": "there is no such action",
    "429": "too much was asked for at once",
    "503": "it cannot be done now",
}


def document() -> dict[str, Any]:
    """The OpenAPI 3.1 document."""
    paths: dict[str, Any] = {
        "/api/state": {"get": _get("Everything that is set and that runs", {"type": "object"})},
        "/api/meters": {"get": _get("Rates, delays and drops", {"type": "object"})},
        "/snapshot.jpg": {"get": _picture("The newest picture")},
    }
    for name, action in BY_NAME.items():
        paths[f"/api/actions/{name}"] = {"post": _operation(name, action, body=True)}
        paths[f"/api/do/{name}"] = {
            "get": _operation(name, action, body=False) | {"operationId": f"do_{name}", "security": [{"query": []}]}
        }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "livefilter",
            "version": __version__,
            "description": "Steers a live run. /api/events is a WebSocket: see docs/api.md.",
        },
        "servers": [{"url": "http://127.0.0.1:8420"}],
        "security": [{}, {"bearer": []}, {"query": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "query": {"type": "apiKey", "in": "query", "name": "token"},
            },
            "schemas": {"Error": _ERROR},
        },
    }


_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["what", "why", "fix"],
            "properties": {name: {"type": "string"} for name in ("what", "why", "fix")},
        }
    },
}


def schema(parameter: Parameter) -> dict[str, Any]:
    """A parameter as JSON Schema."""
    found: dict[str, Any] = {"type": parameter.kind, "description": parameter.help}
    if parameter.minimum is not None:
        found |= {"minimum": parameter.minimum, "maximum": parameter.maximum}
    if parameter.choices:
        found["enum"] = list(parameter.choices)
    if parameter.example is not None:
        found["examples"] = [parameter.example]
    return found


def _operation(name: str, action: Action, *, body: bool) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": name,
        "summary": action.help,
        "responses": {
            "200": {
                "description": "it was done, or waits for its turn",
                "content": _json({"type": "object", "properties": {"done": {"type": "string"}}}),
            }
        }
        | {
            status: {"description": text, "content": _json({"$ref": "#/components/schemas/Error"})}
            for status, text in _REFUSALS.items()
        },
    }
    if action.takes:
        # In a POST each of them may stand in the address or in the body, so the address alone requires none.
        operation["parameters"] = [
            {"name": each.name, "in": "query", "required": each.required and not body, "schema": schema(each)}
            for each in action.takes
        ]
    if action.takes and body:
        properties = {each.name: schema(each) for each in action.takes}
        operation["requestBody"] = {
            "required": False,
            "content": _json({"type": "object", "properties": properties, "additionalProperties": False}),
        }
    return operation


def _get(summary: str, answer: dict[str, Any]) -> dict[str, Any]:
    return {"summary": summary, "responses": {"200": {"description": summary, "content": _json(answer)}}}


def _picture(summary: str) -> dict[str, Any]:
    answer = {"description": summary, "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}}
    return {"summary": summary, "responses": {"200": answer, "503": {"description": "there is none yet"}}}


def _json(kind: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": kind}}


def reference() -> str:
    """The table of actions for docs/api.md, in Markdown."""
    lines = ["| action | what it does | parameters | key |", "|---|---|---|---|"]
    for name, action in BY_NAME.items():
        if name.startswith("style_") and name != "style_1":
            continue
        shown = "style_1` ... `style_9" if name == "style_1" else name
        told = [f"`{each.name}`{'' if each.required else '?'}: {each.allowed}" for each in action.parameters]
        told += ["`for_s`?, `cooldown_s`?"] if action.timed else []
        what = "style by number" if name == "style_1" else action.help.replace("|", "/")
        key = "`1`-`9`" if name == "style_1" else f"`{action.key}`" if action.key else ""
        lines.append(f"| `{shown}` | {what} | {'; '.join(told)} | {key} |")
    return "\n".join(lines)


if __name__ == "__main__":
    import sys

    sys.stdout.write(reference() + "\n")
