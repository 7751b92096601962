"""A real browser for tests: Debian's Chromium, headless, through its own driver."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = Path("/usr/bin/chromium")
DRIVER = Path("/usr/bin/chromedriver")


@pytest.fixture(scope="session")
def _chromium_of_all() -> Iterator[Any]:
    """One fresh headless Chromium for all tests, for it takes seconds to start; skipped where there is none."""
    for needed in (CHROMIUM, DRIVER):
        if not needed.exists():
            pytest.skip(f"no {needed} here: install the packages chromium and chromium-driver")
    pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    with open_chromium() as driver:
        yield driver


@pytest.fixture
def chromium(_chromium_of_all: Any) -> Any:
    """A selenium driver of a headless Chromium that shows nothing and has said nothing.

    The page of the test before may still have asked for a server that is gone, and been told so.
    """
    _chromium_of_all.get("about:blank")
    _chromium_of_all.get_log("browser")
    return _chromium_of_all


@contextmanager
def open_chromium() -> Iterator[Any]:
    """A selenium driver of a headless Chromium with a profile of its own."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    profile = tempfile.mkdtemp(prefix="livefilter-chromium-")
    for flag in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--window-size=1280,800",
        f"--user-data-dir={profile}",
    ):
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(executable_path=str(DRIVER)))
    driver.set_page_load_timeout(120)
    driver.set_script_timeout(120)
    try:
        yield driver
    finally:
        driver.quit()
        shutil.rmtree(profile, ignore_errors=True)
