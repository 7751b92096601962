"""Answers of the API, and what is said when something is refused."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from aiohttp import web

from livefilter.errors import Busy, InvalidInput, LivefilterError, UnknownName

_NO_SUCH_ACTION = ("action", "style number")
Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Refused(Exception):
    """A request that is not answered: what was refused, why, and how to mend it."""

    def __init__(self, status: int, what: str, why: str, fix: str, retry_s: int | None = None) -> None:
        super().__init__(f"{what} {why} {fix}")
        self.status, self.what, self.why, self.fix, self.retry_s = status, what, why, fix, retry_s

    @property
    def body(self) -> dict[str, Any]:
        """What the API answers."""
        return {"error": {"what": self.what, "why": self.why, "fix": self.fix}}


def refusal(error: Exception, what: str, fix: str = "") -> Refused:
    """What an error of livefilter's means to whoever called the API. fix: what to do where the error does not say."""
    if isinstance(error, Refused):
        return error
    status = 503
    if isinstance(error, InvalidInput):
        status = 404 if isinstance(error, UnknownName) and error.kind in _NO_SUCH_ACTION else 400
    elif isinstance(error, Busy):
        status = 429
    if not isinstance(error, LivefilterError):
        return Refused(500, what, "Something unforeseen went wrong; the log says what.", "Please report it.")
    fix = error.fix or fix or "GET /api/openapi.json lists what is possible, with names and bounds."
    return Refused(status, what, error.problem.removesuffix(".") + ".", fix, retry_s=5 if status == 429 else None)


def answered(request: web.Request, refused: Refused) -> web.Response:
    """A refusal as JSON for the API, as a line of text elsewhere."""
    headers = {"Retry-After": str(refused.retry_s)} if refused.retry_s else {}
    if request.path.startswith("/api/"):
        return json_answer(refused.body, refused.status, headers)
    return web.Response(status=refused.status, text=f"{refused}\n", headers=headers)


def json_answer(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """A value as JSON."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return web.Response(status=status, text=text, headers=headers, content_type="application/json")
