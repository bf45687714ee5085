"""Receivers that alerts are really sent to: an HTTP server that checks like the robots do, and a small mail server."""

import base64
import hashlib
import hmac
import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from qianheng.core.errors import Refused
from qianheng.core.webhooks import verify

SECRET = "the secret of the shop"
Answer = tuple[int, dict[str, Any]]


class Receiver(ThreadingHTTPServer):
    """Keeps what it accepts. `answers` says what it does instead with the next requests: a status, or "hang up"."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.accepted: list[dict[str, Any]] = []
        self.ids: list[str] = []
        self.requests = 0
        self.answers: list[int | str] = []

    def url(self, kind: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/{kind}?key=hidden"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.requests += 1
        instead = self.server.answers.pop(0) if self.server.answers else None
        if instead == "hang up":
            self.close_connection = True
            return
        status, answer = (int(instead), {}) if instead else self._judged(body)
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _judged(self, body: bytes) -> Answer:
        told = json.loads(body)
        kind = urlsplit(self.path).path.strip("/")
        status, answer = _CHECKS[kind](self, body, told)
        if status == 200 and not any(answer.get(name) for name in ("code", "errcode")):
            self.server.accepted.append(told)
            self.server.ids.append(self.headers.get("webhook-id", ""))
        return status, answer

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  as the base class names it
        """Say nothing."""


def _webhook(request: _Handler, body: bytes, _: dict[str, Any]) -> Answer:
    try:
        verify(dict(request.headers.items()), body, SECRET, datetime.now(UTC))
    except Refused:
        return 401, {}
    return 200, {}


def _feishu(_: _Handler, __: bytes, told: dict[str, Any]) -> Answer:
    key = f"{told['timestamp']}\n{SECRET}".encode()
    sign = base64.b64encode(hmac.new(key, digestmod=hashlib.sha256).digest()).decode()
    whole = told["msg_type"] == "interactive" and told["card"]["header"]["title"]["tag"] == "plain_text"
    return 200, {"code": 0} if told["sign"] == sign and whole else {"code": 19021, "msg": "sign match fail"}


def _dingtalk(request: _Handler, _: bytes, told: dict[str, Any]) -> Answer:
    query = parse_qs(urlsplit(request.path).query)
    content = f"{query['timestamp'][0]}\n{SECRET}".encode()
    sign = base64.b64encode(hmac.new(SECRET.encode(), content, hashlib.sha256).digest()).decode()
    whole = told["msgtype"] == "markdown" and told["markdown"]["title"] and told["markdown"]["text"]
    return 200, {"errcode": 0} if query["sign"] == [sign] and whole else {"errcode": 310000, "errmsg": "sign not match"}


def _wecom(_: _Handler, body: bytes, told: dict[str, Any]) -> Answer:
    whole = told["msgtype"] == "markdown" and len(told["markdown"]["content"].encode()) <= 4096
    return 200, {"errcode": 0 if whole else 40058, "errmsg": "invalid"}


_CHECKS: dict[str, Callable[[_Handler, bytes, dict[str, Any]], Answer]] = {
    "webhook": _webhook,
    "feishu": _feishu,
    "dingtalk": _dingtalk,
    "wecom": _wecom,
}


class _Mail(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self._say("220 ready")
        while line := self.rfile.readline().decode().strip():
            if line.upper().startswith("DATA"):
                self._say("354 go on")
                lines = iter(lambda: self.rfile.readline().decode(), ".\r\n")
                self.server.accepted.append("".join(lines))  # type: ignore[attr-defined]
            if line.upper() == "QUIT":
                self._say("221 bye")
                return
            self._say("550 no such box" if "nobody" in line else "250 ok")

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@contextmanager
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    with _serving(server):
        yield server


@contextmanager
def mail_server() -> Iterator[tuple[int, list[str]]]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Mail) as server:
        accepted: list[str] = []
        server.accepted = accepted  # type: ignore[attr-defined]
        with _serving(server):
            yield server.server_address[1], accepted


@contextmanager
def _serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
