"""How long the server takes to draw a page anew, from a question on the wire to the end of the answer.

By a browser, whose own work then shares the cores, or by a visitor that only listens.
"""

from __future__ import annotations

import base64
import time
from typing import Any

from playwright.sync_api import Page
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect
from websockets.typing import Subprotocol


class BrowserReruns:
    """The reruns of whole pages that a browser asks for, from its question to the end of the answer."""

    def __init__(self, page: Page) -> None:
        self._asked: float | None = None
        self._seconds: list[float] = []
        self._browser = page.context.new_cdp_session(page)
        self._browser.on("Network.webSocketFrameSent", self._sent)
        self._browser.on("Network.webSocketFrameReceived", self._received)
        self._browser.send("Network.enable")

    def seconds(self) -> list[float]:
        """Stop listening and return them, in their order."""
        self._browser.detach()
        return self._seconds

    def _sent(self, frame: dict[str, Any]) -> None:
        message = BackMsg.FromString(_content(frame))
        if message.WhichOneof("type") == "rerun_script" and not message.rerun_script.fragment_id:
            self._asked = frame["timestamp"]

    def _received(self, frame: dict[str, Any]) -> None:
        if self._asked is not None and _is_end(_content(frame)):
            self._seconds.append(frame["timestamp"] - self._asked)
            self._asked = None


def plain_reruns(url: str, page: str, queries: tuple[str, ...], number: int, pause: float) -> list[float]:
    """Return the seconds of reruns that a visitor asks for who draws nothing.

    Args:
        url: of the server, "http://host:port".
        page: its name in the address.
        queries: what the address says, in turn.
        number: of reruns.
        pause: seconds between two of them.
    """
    times = []
    address = f"{url.replace('http', 'ws', 1)}/_stcore/stream"
    with connect(address, subprotocols=[Subprotocol("streamlit")], max_size=None) as visitor:
        for turn in range(number + 1):
            question = BackMsg()
            question.rerun_script.page_name = page
            question.rerun_script.query_string = queries[turn % len(queries)]
            begun = time.perf_counter()
            visitor.send(question.SerializeToString())
            while not _is_end(visitor.recv(decode=False)):
                pass
            times.append(time.perf_counter() - begun)
            _listen(visitor, pause)
    return times[1:]  # the first is a visit


def _listen(visitor: Any, seconds: float) -> None:  # noqa: ANN401 - the library exports no name for it
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        try:
            visitor.recv(timeout=left)
        except TimeoutError:
            return


def _content(frame: dict[str, Any]) -> bytes:
    return base64.b64decode(frame["response"]["payloadData"])


def _is_end(content: bytes) -> bool:
    message = ForwardMsg.FromString(content)
    finished = ForwardMsg.ScriptFinishedStatus.FINISHED_SUCCESSFULLY
    return message.WhichOneof("type") == "script_finished" and message.script_finished == finished
