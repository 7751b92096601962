"""The photo view as a person uses it, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from livefilter.live.photos import photo_features
from livefilter.output.page import PageSink
from livefilter.styles.catalogue import Catalogue
from livefilter.web.studio_room import StudioRoom
from tests.conftest import make_video
from tests.fakes import until
from tests.web.conftest import OPTIONS
from tests.web.test_page_in_chromium import until as until_script

DEMO = Path(__file__).resolve().parents[2] / "livefilter" / "capture" / "assets" / "demo.jpg"
ALL_DRAWN = (
    "const all = [...document.querySelectorAll('.choice')];"
    "return all.length > 1 && all.every((each) => each.dataset.drawing === 'false')"
)


@pytest.fixture
def studio(chromium: Any, tmp_path: Path) -> Iterator[PageSink]:
    """The photo view, open, whose downloads go to tmp_path."""
    with PageSink("0", OPTIONS) as page:
        page.steer(StudioRoom(Catalogue().styles), **photo_features(Catalogue()))
        chromium.execute_cdp_cmd(
            "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path / "downloads")}
        )
        chromium.get(f"{page.url}photo")
        until_script(chromium, "return document.getElementById('card-1').src !== ''")
        yield page


def downloaded(folder: Path, suffix: str) -> Path:
    """The one file that was downloaded, once it is complete."""
    found: list[Path] = []

    def there() -> bool:
        found[:] = list((folder / "downloads").glob(f"*{suffix}")) if (folder / "downloads").exists() else []
        return bool(found)

    until(there, f"a downloaded {suffix}")
    return found[0]


def test_a_chosen_photo_is_styled_compared_and_downloaded(chromium: Any, studio: PageSink, tmp_path: Path) -> None:
    """Every style appears, the slider follows keys, and the download has the photo's own size in that style."""
    demo = cv2.imread(str(DEMO))
    assert demo is not None
    photo = cv2.resize(demo, (1500, 1000))
    cv2.imwrite(str(tmp_path / "me.png"), photo)
    chromium.find_element("id", "file").send_keys(str(tmp_path / "me.png"))
    until_script(chromium, ALL_DRAWN)
    assert "1500 × 1000" in chromium.find_element("id", "facts").text
    sources = chromium.execute_script("return [...document.querySelectorAll('.choice img')].map((each) => each.src)")
    assert len(set(sources)) == len(Catalogue().styles)
    slider = chromium.find_element("id", "slider")
    slider.send_keys("")
    before = float(slider.get_attribute("aria-valuenow"))
    slider.send_keys("\ue014" * 5)  # arrow right
    assert float(slider.get_attribute("aria-valuenow")) == before + 10
    chromium.find_element("css selector", "[data-style=paprika]").click()
    until_script(
        chromium, "return document.querySelector('[data-style=paprika]').getAttribute('aria-checked') === 'true'"
    )
    chromium.find_element("css selector", "#kind [value=png]").click()
    chromium.find_element("id", "download").click()
    path = downloaded(tmp_path, ".png")
    assert path.name == "me-paprika.png"
    styled = cv2.imread(str(path))
    assert styled is not None
    assert styled.shape == photo.shape
    assert 2 < np.abs(styled.astype(int) - photo).mean() < 80
    assert chromium.get_log("browser") == []


def test_the_sample_works_by_keyboard_alone(chromium: Any, studio: PageSink) -> None:
    """Tab and Enter reach the sample, arrows choose a style."""
    body = chromium.find_element("css selector", "body")
    for _ in range(12):
        chromium.switch_to.active_element.send_keys("\ue004")  # tab
        if chromium.switch_to.active_element.get_attribute("id") == "sample":
            break
    assert chromium.switch_to.active_element.get_attribute("id") == "sample", body.text
    chromium.switch_to.active_element.send_keys("\ue007")  # enter
    until_script(chromium, ALL_DRAWN)
    first = chromium.find_element("css selector", ".choice[aria-checked=true]")
    chromium.execute_script("arguments[0].focus()", first)
    first.send_keys("\ue014")
    until_script(chromium, "return document.querySelectorAll('.choice')[1].getAttribute('aria-checked') === 'true'")


def test_a_file_that_is_no_photo_is_explained(chromium: Any, studio: PageSink, tmp_path: Path) -> None:
    """The view stays usable and says what is wrong."""
    (tmp_path / "odd.png").write_bytes(b"nothing")
    chromium.find_element("id", "file").send_keys(str(tmp_path / "odd.png"))
    until_script(chromium, "return document.querySelector('.toast.error')?.textContent.includes('odd.png')")
    assert chromium.find_element("id", "choose").is_displayed()


def test_a_clip_is_styled_with_progress_and_downloaded(chromium: Any, studio: PageSink, tmp_path: Path) -> None:
    """A video comes back as one that plays."""
    make_video(tmp_path / "clip.mp4", seconds=1.0, audio=True)
    chromium.find_element("id", "file").send_keys(str(tmp_path / "clip.mp4"))
    until_script(chromium, "return !document.getElementById('clip-load').hidden")
    chromium.find_element("id", "clip-load").click()
    path = downloaded(tmp_path, ".mp4")
    assert path.name.startswith("clip-")
    assert path.stat().st_size > 1000


def test_a_clip_is_styled_again_in_the_style_that_is_chosen_beside_it(
    chromium: Any, studio: PageSink, tmp_path: Path
) -> None:
    """Also while it is still styled, whatever was chosen in between; nothing is offered without effect."""
    make_video(tmp_path / "clip.mp4", seconds=2.0)
    chromium.find_element("id", "file").send_keys(str(tmp_path / "clip.mp4"))
    until_script(chromium, "return document.querySelectorAll('.choice img[src*=\"card.jpg\"]').length === 4")
    first, second, third = chromium.find_elements("css selector", ".choice")[:3]
    second.click()
    third.click()
    style = third.get_attribute("data-style")
    load = "document.getElementById('clip-load')"
    until_script(chromium, f"return !{load}.hidden && {load}.download === 'clip-{style}.mp4'")
    first.click()
    until_script(
        chromium, f"return !{load}.hidden && {load}.download === 'clip-{first.get_attribute('data-style')}.mp4'"
    )
    assert not chromium.find_elements("css selector", ".toast.error")
    shown = {
        name: chromium.find_element("id", name).is_displayed()
        for name in ("network", "faces", "person", "room", "strength")
    }
    assert shown == {"network": False, "faces": False, "person": False, "room": False, "strength": True}


def test_a_photo_takes_the_place_of_a_clip(chromium: Any, studio: PageSink, tmp_path: Path) -> None:
    """Chosen while a clip is styled, it stays on screen, and the clip is styled no further."""
    make_video(tmp_path / "long.mp4", seconds=60.0)
    chromium.find_element("id", "file").send_keys(str(tmp_path / "long.mp4"))
    until_script(chromium, "return document.getElementById('clip-text').textContent.startsWith('Styling')")
    chromium.find_element("id", "file").send_keys(str(DEMO))
    until_script(chromium, ALL_DRAWN)
    until(lambda: not studio._server.site.features["clips"]._clip, "the end of the clip")
    assert chromium.find_element("id", "facts").text.startswith("demo.jpg")
    assert chromium.find_element("tag name", "body").get_attribute("data-kind") == "photo"
    assert not chromium.find_elements("css selector", ".toast.error")


def test_the_view_fits_a_phone(chromium: Any, studio: PageSink) -> None:
    """At the width of a phone nothing is wider than the screen."""
    metrics = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        chromium.find_element("id", "sample").click()
        until_script(chromium, ALL_DRAWN)
        assert chromium.execute_script("return document.documentElement.scrollWidth") <= 390
    finally:
        chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_a_photo_is_dropped_copied_and_pasted(chromium: Any, studio: PageSink, tmp_path: Path) -> None:
    """A file from the desktop, a picture to the clipboard and one from there, each by the browser's own events."""
    photo = np.asarray(cv2.resize(cv2.imread(str(DEMO))[:384], (240, 180)), np.uint8)  # type: ignore[index]
    cv2.imwrite(str(tmp_path / "dropped.png"), photo)
    drag = {
        "x": 300,
        "y": 300,
        "data": {"items": [], "files": [str(tmp_path / "dropped.png")], "dragOperationsMask": 1},
    }
    for kind in ("dragEnter", "dragOver"):
        chromium.execute_cdp_cmd("Input.dispatchDragEvent", {"type": kind, **drag})
    until_script(chromium, "return !document.getElementById('over').hidden")
    chromium.execute_cdp_cmd("Input.dispatchDragEvent", {"type": "drop", **drag})
    until_script(chromium, ALL_DRAWN)
    assert chromium.find_element("id", "facts").text.startswith("dropped.png")
    assert not chromium.find_element("id", "over").is_displayed()
    shown = "return document.getElementById('after').src"
    before = chromium.execute_script(shown)
    chromium.find_element("css selector", "#faces [data-value=close]").click()
    until_script(chromium, f"return ({shown[7:]}) !== '{before}'")
    until_script(chromium, ALL_DRAWN)

    allowed = {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"], "origin": studio.url.rstrip("/")}
    chromium.execute_cdp_cmd("Browser.grantPermissions", allowed)
    chromium.find_element("id", "copy").click()
    until_script(chromium, "return document.getElementById('toasts').textContent.includes('Copied')")
    copied = chromium.execute_async_script(
        "const done = arguments[0];"
        "navigator.clipboard.read().then(([item]) => item.getType('image/png')).then(createImageBitmap)"
        ".then((image) => done([image.width, image.height]), (error) => done(String(error)))"
    )
    assert copied == [240, 180]

    chromium.find_element("id", "another").click()
    until_script(chromium, "return document.body.dataset.view === 'empty'")
    key = {"key": "v", "code": "KeyV", "windowsVirtualKeyCode": 86, "modifiers": 2, "commands": ["paste"]}
    chromium.execute_cdp_cmd("Input.dispatchKeyEvent", {"type": "rawKeyDown", **key})
    until_script(chromium, "return document.getElementById('facts').textContent.includes('240 × 180')")
    until_script(chromium, ALL_DRAWN)
    assert chromium.get_log("browser") == []
