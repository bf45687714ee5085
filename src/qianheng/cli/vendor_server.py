"""`qianheng vendor-server`: a kept run as the vendor's marketing API would tell of it, for demos and for trying out."""

from __future__ import annotations

import json
import signal
import threading
from datetime import UTC, datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import TYPE_CHECKING, Annotated, TypeAlias
from urllib.parse import parse_qsl, urlsplit

import typer

from qianheng.cli.options import Seat
from qianheng.core.errors import BadInput
from qianheng.core.words import say

if TYPE_CHECKING:
    from qianheng.vendors.qianchuan.trouble import Trouble

PORT = 8322
APP_ID, SECRET, CODE = "1001", "demo-secret", "demo-code"  # of a server on this machine only
BYTES_AT_MOST = 2**20

Port: TypeAlias = Annotated[int, typer.Option("--port", help=say("sync.command.port"))]
Share: TypeAlias = Annotated[
    list[str] | None, typer.Option("--trouble", metavar="KIND=SHARE", help=say("sync.command.trouble"))
]
Seed: TypeAlias = Annotated[int, typer.Option("--seed", help=say("sync.command.seed"))]


def add_to(app: typer.Typer) -> None:
    """Add the command that serves a run as the vendor would."""
    app.command("vendor-server", help=say("sync.command.server"))(_serve)


def _serve(seat: Seat, port: Port = PORT, trouble: Share = None, seed: Seed = 0) -> None:
    from qianheng.actions.vendor_books import books_of
    from qianheng.cli.sources import desk_asked
    from qianheng.store.database import own_file
    from qianheng.vendors.qianchuan.api import OWN, api
    from qianheng.vendors.qianchuan.server import Server
    from qianheng.vendors.qianchuan.tokens import App
    from qianheng.vendors.qianchuan.trouble import Trouble

    with desk_asked(seat) as desk:
        books = books_of(desk)
    market = Server(api(own_file(OWN)), books, App(APP_ID, SECRET), CODE, lambda: datetime.now(UTC))
    answers = Trouble(market, _shares(trouble or []), Random(seed).random)
    _forever(answers, port, ", ".join(books), f"{desk.now:%Y-%m-%d}")


def _shares(written: list[str]) -> dict[str, float]:
    shares = {}
    for text in written:
        kind, _, share = text.partition("=")
        try:
            shares[kind] = float(share)
        except ValueError:
            shares[kind] = -1  # refused with the kinds known
    return shares


def _forever(answers: Trouble, port: int, accounts: str, today: str) -> None:
    """Serve on this machine only, until Ctrl-C or SIGTERM; one line is printed when ready. Port taken: BadInput."""
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), partial(_Handler, answers, threading.Lock()))
    except (OSError, OverflowError) as error:
        raise BadInput("simulation.port_taken", place="--port", port=port, why=error) from None
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: threading.Thread(target=server.shutdown).start())
    told = {"port": server.server_port, "accounts": accounts, "today": today}
    typer.echo(say("sync.serving", app=APP_ID, secret=SECRET, code=CODE, **told))
    with server:
        server.serve_forever(poll_interval=0.1)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, answers: Trouble, one_by_one: threading.Lock, *arguments: object) -> None:
        self._answers, self._one_by_one = answers, one_by_one
        super().__init__(*arguments)  # type: ignore[arg-type]  # as the server calls it

    def do_GET(self) -> None:
        """Answer a question."""
        self._answer({})

    def do_POST(self) -> None:
        """Answer a body."""
        content = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), BYTES_AT_MOST))
        try:
            body = json.loads(content or b"{}")
        except ValueError:
            body = {}
        self._answer(body if isinstance(body, dict) else {})

    def _answer(self, body: dict[str, object]) -> None:
        from qianheng.vendors.qianchuan.question import Request

        parts = urlsplit(self.path)
        path = parts.path.removeprefix(self._answers.server.api.prefix)
        token = self.headers.get("Access-Token", "")
        request = Request(self.command, path, dict(parse_qsl(parts.query)), body, token)
        with self._one_by_one:
            status, content = self._answers.answer(request)
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
        """Stay quiet: tokens stand in the questions."""
