"""One request to a page, as any program would send it."""

from __future__ import annotations

import http.client
import json
from typing import Any

from livefilter.output.page import PageSink


def port_of(sink: PageSink) -> int:
    """The port in the address of a page."""
    return int(sink.url.rsplit(":", 1)[1].strip("/"))


def ask(
    sink: PageSink,
    path: str,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    body: bytes | str | None = None,
    address: str = "127.0.0.1",
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers (lower case) and body of one request."""
    connection = http.client.HTTPConnection(address, port_of(sink), timeout=60)
    try:
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def call(sink: PageSink, path: str, method: str = "GET", **named: Any) -> tuple[int, Any]:
    """Status and JSON of one request."""
    status, _, body = ask(sink, path, method, **named)
    return status, json.loads(body)
