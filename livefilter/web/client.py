"""Steers a running livefilter from a script."""

from __future__ import annotations

import contextlib
import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from livefilter.errors import LivefilterError


class NotAnswered(LivefilterError):
    """livefilter refused a call, or does not run."""


class Client:
    """Calls the API of a livefilter that runs.

        from livefilter import Client
        client = Client()
        client.do("style", name="paprika", for_s=30)
        print(client.state()["style"], client.meters()["styled_fps"])

    address: of the page. token: needed from another computer; `livefilter token` prints it.
    fix: what helps where none answers there.
    """

    def __init__(
        self,
        address: str = "http://127.0.0.1:8420",
        token: str = "",
        timeout_s: float = 10.0,
        fix: str = "Start livefilter run, or correct the address.",
    ) -> None:
        self._address, self._token, self._timeout_s = address.rstrip("/"), token, timeout_s
        self._fix = fix

    def do(self, action: str, **parameters: Any) -> None:
        """Carry out an action of docs/api.md.

        Raises: NotAnswered: says what was wrong and how to mend it.
        """
        self._call(f"/api/actions/{urllib.parse.quote(action, safe='')}", json.dumps(parameters).encode())

    def state(self) -> dict[str, Any]:
        """Everything that is set and that runs. Raises: NotAnswered."""
        return self._read("/api/state")

    def meters(self) -> dict[str, Any]:
        """Rates, delays and drops. Raises: NotAnswered."""
        return self._read("/api/meters")

    def picture(self) -> bytes:
        """The newest picture, as a JPEG file. Raises: NotAnswered."""
        return self._call("/snapshot.jpg")

    def _read(self, path: str) -> dict[str, Any]:
        try:
            found = json.loads(self._call(path))
        except ValueError as error:
            raise self._another("no JSON") from error
        if not isinstance(found, dict):
            raise self._another("another JSON")
        return found

    def _call(self, path: str, body: bytes | None = None) -> bytes:
        headers = {"Content-Type": "application/json"} | (
            {"Authorization": f"Bearer {self._token}"} if self._token else {}
        )
        request = urllib.request.Request(self._address + path, body, headers)
        # Not through a proxy of the environment's: it would be asked for its own loopback.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=self._timeout_s) as answer:
                content: bytes = answer.read()
                return content
        except urllib.error.HTTPError as error:
            text = ""
            with error, contextlib.suppress(OSError, http.client.HTTPException):  # it may break off
                text = error.read().decode("utf-8", "replace").strip()
            try:
                told = json.loads(text)["error"]
                text = f"{told['what']} {told['why']} {told['fix']}"
            except (ValueError, KeyError, TypeError):
                # Beside the API, livefilter refuses with a line of text.
                if path.startswith("/api/") or error.headers.get_content_type() != "text/plain":
                    raise self._another(f"HTTP {error.code}") from error
            raise NotAnswered(text) from error
        except http.client.IncompleteRead as error:
            raise NotAnswered(f"{self._address} broke off while it answered.", fix=self._fix) from error
        except http.client.HTTPException as error:
            raise self._another("no HTTP") from error
        except (OSError, ValueError) as error:
            why = getattr(error, "reason", error)
            why = getattr(why, "strerror", None) or why  # without its number
            raise NotAnswered(f"{self._address} does not answer: {why}.", fix=self._fix) from error

    def _another(self, answer: str) -> NotAnswered:
        problem = f"{self._address} is not livefilter: another program answers there, with {answer}."
        return NotAnswered(problem, fix=self._fix)
