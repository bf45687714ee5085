"""A small local server: the report page of the newest simulated run at `/`, each run's under its name, and beside them
reviews of runs and of imported reports, made when they are asked for, as pages and as PDF.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

import typer

from qianheng.cli.reviews import KINDS, review_asked, wrap_up_asked
from qianheng.cli.sources import Source
from qianheng.core.errors import BadInput, QianhengError
from qianheng.core.words import Language, language, say, speak
from qianheng.pages.document import Document
from qianheng.pages.parts import Html, element, empty, section
from qianheng.pages.pdf import pdf_pages
from qianheng.pages.shell import whole_main, whole_page
from qianheng.pages.web import Link, strip, web_page
from qianheng.store.database import home

if TYPE_CHECKING:
    Answer = tuple[HTTPStatus, bytes, str]

PAGE = "report.html"
HTML, PDF, TEXT = "text/html; charset=utf-8", "application/pdf", "text/plain; charset=utf-8"
REPORTS = "/reports"


def serve(port: int) -> None:
    """Serve on this machine only, until Ctrl-C or SIGTERM; one line is printed when ready. Port taken: BadInput."""
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), partial(_Handler, language()))
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
    def __init__(self, spoken: Language, *arguments: object) -> None:
        self._spoken = spoken
        super().__init__(*arguments)  # type: ignore[arg-type]  # as the server calls it

    def do_GET(self) -> None:
        """Answer `/`, `/healthz`, `/runs`, `/runs/NAME`, and reviews: `/runs/NAME/daily`, `/reports/weekly.pdf`, …"""
        speak(self._spoken)  # each answer is given in a thread of its own
        status, body, kind = _answered(unquote(self.path.partition("?")[0]).rstrip("/") or "/")
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
        """Stay quiet: the page is the answer."""


def _answered(path: str) -> Answer:
    known = pages()
    if path == "/healthz":
        return HTTPStatus.OK, b"ok", TEXT
    if path == "/runs" or (path == "/" and not known):
        return HTTPStatus.OK, _index(known).encode(), HTML
    name = next(iter(known), "") if path == "/" else path.removeprefix("/runs/")
    if page := known.get(name):
        return HTTPStatus.OK, _with_links(page.read_bytes(), name), HTML
    place, _, kind = path.rpartition("/")
    try:
        if document := _document(place, kind.removesuffix(".pdf"), known):
            return _told(document, place, kind)
        sentence = say("simulation.no_page", path=path)
    except QianhengError as error:
        sentence = str(error)
    return HTTPStatus.NOT_FOUND, _sentence(sentence).encode(), HTML


def _document(place: str, kind: str, known: dict[str, Path]) -> Document | None:
    """The review of a kind that stands at a place; `None` if nothing does."""
    name = place.removeprefix("/runs/")
    if place == REPORTS and kind in KINDS:
        return review_asked(kind, Source(reports=True))
    if name not in known:
        return None
    if kind == "live":
        return wrap_up_asked(Source(name))
    return review_asked(kind, Source(name)) if kind in KINDS else None


def _told(document: Document, place: str, kind: str) -> Answer:
    if kind.endswith(".pdf"):
        return HTTPStatus.OK, pdf_pages(document), PDF
    around = [(say("reviews.all_runs"), "/runs"), *_reviews(place), ("PDF", quote(f"{place}/{kind}.pdf"))]
    return HTTPStatus.OK, web_page(document, around).encode(), HTML


def _reviews(place: str) -> Iterator[Link]:
    """The links to the reviews of a run, or of imported reports."""
    if place != REPORTS:
        yield say("pages.report"), quote(place)
    for kind in KINDS:
        yield say(f"reviews.kind.{kind}"), quote(f"{place}/{kind}")
    if place != REPORTS:
        yield say("reviews.live.kind"), quote(f"{place}/live")


def _with_links(page: bytes, name: str) -> bytes:
    """A run's page with links to its reviews above it."""
    links = strip([(say("reviews.all_runs"), "/runs"), *_reviews(f"/runs/{name}")])
    return page.replace(b"<body><header>", f"<body><header>{links}".encode(), 1)


def _index(known: dict[str, Path]) -> str:
    """All runs and the imported reports, each with its reviews."""
    runs = [section(None, name, strip(_reviews(f"/runs/{name}"))) for name in known]
    reports = section(None, say("reviews.imported"), strip(_reviews(REPORTS)))
    return _page(*(runs or [empty(say("simulation.no_pages"))]), reports)


def _sentence(text: str) -> str:
    return _page(element("p", text, class_="told"), strip([(say("reviews.all_runs"), "/runs")]))


def _page(*parts: Html) -> str:
    header = element("header", element("p", "Qianheng 千衡", class_="brand"), element("h1", say("reviews.all_runs")))
    return whole_page("Qianheng 千衡", header, whole_main(*parts))
