"""A small local server for the report pages of simulated runs: the newest at `/`, each under its run's name."""

from __future__ import annotations

import html
import signal
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

import typer

from qianheng.core.errors import BadInput
from qianheng.core.words import say
from qianheng.store.database import home

PAGE = "report.html"


def serve(port: int) -> None:
    """Serve on this machine only, until Ctrl-C or SIGTERM; one line is printed when ready. Port taken: BadInput."""
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), _Handler)
    except (OSError, OverflowError) as error:
        raise BadInput("simulation.port_taken", place="--port", port=port, why=error) from None
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: threading.Thread(target=server.shutdown).start())
    typer.echo(say("simulation.serving", port=server.server_port))
    with server:
        server.serve_forever(poll_interval=0.1)


def pages() -> dict[str, Path]:
    """The report pages by run, the newest first."""
    found = sorted((home() / "runs").glob(f"*/{PAGE}"), key=lambda path: path.stat().st_mtime, reverse=True)
    return {path.parent.name: path for path in found}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Answer `/`, `/healthz` and `/runs/NAME`."""
        path = unquote(self.path.partition("?")[0])
        known = pages()
        if path == "/healthz":
            self._answer(HTTPStatus.OK, b"ok", "text/plain")
        elif path == "/":
            body = next(iter(known.values())).read_bytes() if known else _plain(say("simulation.no_pages"))
            self._answer(HTTPStatus.OK, body)
        elif path == "/runs":
            self._answer(HTTPStatus.OK, _index(known))
        elif path.startswith("/runs/") and (page := known.get(path.removeprefix("/runs/"))):
            self._answer(HTTPStatus.OK, page.read_bytes())
        else:
            self._answer(HTTPStatus.NOT_FOUND, _plain(say("simulation.no_pages")))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
        """Stay quiet: the page is the answer."""

    def _answer(self, status: HTTPStatus, body: bytes, kind: str = "text/html") -> None:
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _index(known: dict[str, Path]) -> bytes:
    items = "".join(f'<li><a href="/runs/{html.escape(name)}">{html.escape(name)}</a></li>' for name in known)
    return f"<!doctype html><meta charset=utf-8><title>Qianheng</title><ul>{items}</ul>".encode()


def _plain(sentence: str) -> bytes:
    return f"<!doctype html><meta charset=utf-8><title>Qianheng</title><p>{html.escape(sentence)}</p>".encode()
