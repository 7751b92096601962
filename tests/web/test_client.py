"""The client for scripts."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from livefilter import Client
from livefilter.errors import LivefilterError
from tests.conftest import frame
from tests.web.conftest import Desk


def test_a_script_steers_and_reads(desk: Desk) -> None:
    """Actions, state, figures and the picture, each in one call."""
    client = Client(desk.page.url)
    client.do("style", name="paprika")
    assert client.state()["style"] == "paprika"
    assert "styled_fps" in client.meters()
    desk.page.send(frame())
    image = cv2.imdecode(np.frombuffer(client.picture(), np.uint8), cv2.IMREAD_COLOR)
    assert image is not None


def test_errors_say_what_why_and_how_to_mend_it(desk: Desk) -> None:
    """A refusal and a livefilter that is not there are both one line for a person."""
    client = Client(desk.page.url)
    with pytest.raises(
        LivefilterError, match=r"strength was not done\. value of strength must be a number from 0 to 1"
    ):
        client.do("strength", value=9)
    with pytest.raises(LivefilterError, match="Unknown action"):
        client.do("../state")
    with pytest.raises(LivefilterError, match="The token is not the one"):
        Client(desk.page.url, token="wrong").state()
    with pytest.raises(LivefilterError, match=r"does not answer.*Start livefilter run"):
        Client("http://127.0.0.1:9").state()
