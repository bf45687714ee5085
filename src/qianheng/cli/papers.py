"""How a document leaves the command line: as a page, on paper, as JSON, or as tables on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from qianheng.cli.output import AsJson, print_json, print_table
from qianheng.core.errors import BadInput
from qianheng.core.words import say

if TYPE_CHECKING:
    from qianheng.pages.document import Block, Cell, Document

Html: TypeAlias = Annotated[str, typer.Option("--html", metavar="FILE", help=say("reviews.command.html"))]
Pdf: TypeAlias = Annotated[str, typer.Option("--pdf", metavar="FILE", help=say("reviews.command.pdf"))]

File: TypeAlias = tuple[str, Callable[[], bytes]]  # where to, and what


@dataclass(frozen=True, slots=True)
class Forms:
    """In which forms a document was asked for."""

    html: Html = ""
    pdf: Pdf = ""
    as_json: AsJson = False


def put_out(document: Document, forms: Forms, files: Sequence[File] = ()) -> None:
    """Write and print a document as asked, and the files beside it. One that cannot be written: BadInput; what stood
    there before stays.
    """
    from qianheng.pages.document import document_json
    from qianheng.pages.pdf import pdf_pages
    from qianheng.pages.web import web_page

    wanted: list[File] = [
        (forms.html, lambda: web_page(document).encode()),
        (forms.pdf, lambda: pdf_pages(document)),
        *files,
    ]
    made = [(path, content()) for path, content in wanted if path]
    written = [write_file(path, content) for path, content in made]
    if forms.as_json:
        print_json(document_json(document))
    elif written:
        for path in written:
            typer.echo(say("reviews.command.written", path=path))
    else:
        print_document(document)


def write_file(path: str, content: bytes) -> str:
    """Write a file whole; its path. One that cannot be written: BadInput, what stood there before stays."""
    from qianheng.store.files import write_whole

    try:
        write_whole(Path(path), content)
    except OSError as error:
        raise BadInput("reports.export_failed", place=path, why=error.strerror or error) from None
    return path


def print_document(document: Document) -> None:
    """A document on a terminal: its sections one after another; charts are for pages."""
    from qianheng.pages.document import text_of

    facts = (f"{one.label} {text_of(one.value)}" for one in document.facts)
    typer.echo("  ".join([document.title, *facts]))
    for section in document.sections:
        typer.echo(f"\n■ {section.title}")
        for block in section.shown:
            _print_block(block)


def _print_block(block: Block) -> None:
    from qianheng.pages import document as parts
    from qianheng.pages.document import text_of

    match block:
        case parts.Paragraph():
            typer.echo(block.text)
        case parts.Decision():
            typer.echo("\n".join(filter(None, (f"→ {block.title}", f"  {block.why}", f"  {block.command}".rstrip()))))
        case parts.KeyFigures():
            print_table("", ["", "", ""], [(one.label, text_of(one.value), one.against) for one in block.figures])
        case parts.Table() if block.rows:
            print_table(block.title, [one.label for one in block.columns], [[*map(_cell, row)] for row in block.rows])
        case parts.Table():
            typer.echo(": ".join(filter(None, (block.title, block.empty or say("cli.nothing")))))
        case parts.Sources():
            typer.echo("\n".join(f"  $ {command}" for command in block.commands))
        case parts.Chart():
            pass


def _cell(cell: Cell) -> str | None:
    from qianheng.pages.document import text_of

    return None if cell is None else text_of(cell)
