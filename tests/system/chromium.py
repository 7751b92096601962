"""A headless Chromium whose page takes the virtual camera with getUserMedia, as a video call does."""

from __future__ import annotations

import base64
import http.server
import json
import queue
import subprocess
import threading
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from livefilter.frame import Image
from tests.browser import CHROMIUM
from tests.system.clients import LIMIT_S, Seen

_PAGE = Path(__file__).with_name("getusermedia.html")
_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-ui-for-media-stream",  # allows the camera without asking; the camera itself is the real one
)


def chromium(label: str, frames: int, folder: Path) -> Seen:
    """Watch so many frames of the camera with this label; only the first and the last one are kept."""
    told: queue.Queue[dict[str, Any]] = queue.Queue()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = _PAGE.read_bytes() if self.path.startswith("/?") else b""
            self.send_response(200 if page else 404)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def do_POST(self) -> None:
            told.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_words: Any) -> None:
            """Nobody reads it."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://localhost:{server.server_port}/?label={label}&frames={frames}"
        log = folder / "chromium.log"
        with log.open("w") as said:
            browser = subprocess.Popen(
                [str(CHROMIUM), *_FLAGS, f"--user-data-dir={folder / 'profile'}", address], stderr=said
            )
        try:
            answer = told.get(timeout=LIMIT_S)
        except queue.Empty:
            raise AssertionError(
                f"Chromium said nothing for {LIMIT_S} s (exit code {browser.poll()}): {log.read_text()[-800:]}"
            ) from None
        finally:
            browser.terminate()
            try:
                browser.wait(30)
            except subprocess.TimeoutExpired:
                browser.kill()
            server.shutdown()
    assert "error" not in answer, f"Chromium: {answer['error']}"
    return Seen(f"Chromium ({answer['label']})", [_picture(one) for one in answer["pictures"]], answer["fps"])


def _picture(png: str) -> Image:
    return np.asarray(cv2.imdecode(np.frombuffer(base64.b64decode(png), np.uint8), cv2.IMREAD_COLOR), np.uint8)
