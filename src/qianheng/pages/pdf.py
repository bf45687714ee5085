"""A document on paper: A4 pages as PDF, in Chinese and English, the same bytes for the same document."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

import pylopdf_fonts_zh_cn
from fpdf import FPDF
from fpdf.enums import Align, TableBordersLayout, WrapMode, XPos, YPos
from fpdf.fonts import FontFace

from qianheng.core.words import language, say
from qianheng.pages.document import (
    Block,
    Cell,
    Chart,
    Decision,
    Document,
    Figure,
    KeyFigures,
    Paragraph,
    Section,
    Sources,
    Table,
    numeric,
    text_of,
)
from qianheng.pages.drawing import palette
from qianheng.pages.pdf_charts import draw_chart

if TYPE_CHECKING:
    from collections.abc import Iterator

FONT = "house"
MARGIN, LINE = 14, 5.0  # millimetres
SIZES = {"title": 18.0, "section": 13.0, "block": 10.5, "text": 9.5, "small": 8.0, "figure": 12.5}
LOOKS = {"normal": "good", "watch": "near", "act": "bad", "urgent": "bad"}
FIGURES_A_ROW = 4


class Paper(FPDF):
    """A4 pages with the house's font and colours, and a foot that counts them."""

    def __init__(self, document: Document) -> None:
        super().__init__(format="A4")
        self.told = document
        self.set_creation_date(document.made_at)
        self.set_title(document.title)
        self.set_lang({"en": "en", "zh": "zh-CN"}[language()])
        self.set_margins(MARGIN, MARGIN)
        self.set_auto_page_break(True, MARGIN + 4)
        self.add_font(FONT, fname=str(pylopdf_fonts_zh_cn.sans_path()))
        self.wrap = WrapMode.CHAR if language() == "zh" else WrapMode.WORD
        self.add_page()

    def footer(self) -> None:
        """The document's title and the page's number."""
        self.set_y(-MARGIN)
        self.pen("small", "muted")
        number = say("reviews.page", number=self.page_no(), whole="{nb}")
        self.cell(text=f"Qianheng 千衡 · {self.told.title}")
        self.set_x(MARGIN)
        self.cell(w=0, text=number, align=Align.R)

    def pen(self, size: str, colour: str = "ink") -> None:
        """Write in a size and a colour of the house from now on."""
        self.set_font(FONT, size=SIZES[size])
        self.set_text_color(palette()[colour])

    def write_lines(self, text: str, height: float = LINE) -> None:
        """A text over the whole width, on as many lines as it takes."""
        self.multi_cell(0, height, text, align=Align.L, wrapmode=self.wrap, new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    @contextmanager
    def strong(self) -> Iterator[None]:
        """Write more strongly: the font has one weight, so its letters are drawn with an edge."""
        with self.local_context(text_mode=2, line_width=0.12, draw_color=self.text_color):
            yield

    def keep(self, height: float) -> None:
        """Go to the next page unless so many millimetres are left on this one."""
        if self.will_page_break(height):
            self.add_page()


def pdf_pages(document: Document) -> bytes:
    """The document as a PDF file."""
    paper = Paper(document)
    _head(paper, document)
    for section in document.sections:
        _section(paper, section)
    return bytes(paper.output())


def _head(paper: Paper, document: Document) -> None:
    paper.pen("small", "accent")
    paper.write_lines(f"Qianheng 千衡 · {document.kind}")
    paper.pen("title")
    with paper.strong():
        paper.write_lines(document.title, 9)
    made = Figure("made_at", say("reviews.known_at"), f"{document.made_at:%Y-%m-%d %H:%M}")
    paper.pen("small", "muted")
    paper.write_lines("   ".join(f"{one.label} {text_of(one.value)}" for one in (made, *document.facts)))
    paper.ln(2)


def _section(paper: Paper, section: Section) -> None:
    paper.keep(34)
    paper.ln(2)
    paper.pen("section")
    with paper.strong():
        paper.write_lines(section.title, 7)
    paper.set_draw_color(palette()["line"])
    paper.line(MARGIN, paper.y, paper.w - MARGIN, paper.y)
    paper.ln(2)
    for block in section.shown:
        _block(paper, block)


def _block(paper: Paper, block: Block) -> None:
    match block:
        case Paragraph():
            paper.pen("small" if block.hint else "text", "muted" if block.hint else "ink")
            paper.write_lines(block.text, 4.2 if block.hint else LINE)
            paper.ln(1)
        case Decision():
            _decision(paper, block)
        case KeyFigures():
            _figures(paper, block)
        case Table():
            _titled(paper, block.title, block.hint if block.rows else block.empty or say("cli.nothing"))
            if block.rows:
                _table(paper, block)
        case Chart():
            _chart(paper, block)
        case Sources():
            paper.pen("small", "muted")
            paper.write_lines("\n".join((say("reviews.sources"), *block.commands)), 4)
            paper.ln(2)


def _titled(paper: Paper, title: str, hint: str) -> None:
    paper.keep(22)
    if title:
        paper.pen("block")
        with paper.strong():
            paper.write_lines(title, 5.5)
    if hint:
        paper.pen("small", "muted")
        paper.write_lines(hint, 4)
    paper.ln(0.8)


def _decision(paper: Paper, told: Decision) -> None:
    """A box with a bar in the colour of its urgency."""
    paper.keep(24)
    top = paper.y
    paper.set_left_margin(MARGIN + 4)
    paper.ln(1)
    paper.pen("block")
    with paper.strong():
        paper.write_lines(told.title, 5.5)
    paper.pen("text")
    paper.write_lines(told.why, LINE)
    if told.command:
        paper.pen("small", "muted")
        paper.write_lines(told.command, 4)
    paper.set_left_margin(MARGIN)
    paper.set_fill_color(palette()[LOOKS.get(told.look, "accent")])
    paper.rect(MARGIN, top, 1.2, paper.y - top + 1, style="F")
    paper.ln(3)


def _figures(paper: Paper, told: KeyFigures) -> None:
    """Boxes side by side: what it is, the figure, what it is held against."""
    width = paper.epw / FIGURES_A_ROW
    for start in range(0, len(told.figures), FIGURES_A_ROW):
        paper.keep(16)
        top = paper.y
        for i, figure in enumerate(told.figures[start : start + FIGURES_A_ROW]):
            paper.set_xy(MARGIN + i * width, top)
            paper.pen("small", "muted")
            _line(paper, width, figure.label, 4)
            paper.pen("figure", LOOKS.get(getattr(figure.value, "look", ""), "ink"))
            with paper.strong():
                _line(paper, width, text_of(figure.value), 6)
            paper.pen("small", "muted")
            _line(paper, width, figure.against, 4)
        paper.set_xy(MARGIN, top + 15.5)


def _line(paper: Paper, width: float, text: str, height: float) -> None:
    """One line in a width: a text that is too long is written smaller."""
    size = paper.font_size_pt
    while paper.get_string_width(text) > width - 2 and paper.font_size_pt > 5:
        paper.set_font_size(paper.font_size_pt - 0.5)
    paper.cell(width, height, text, new_x=XPos.LEFT, new_y=YPos.NEXT)
    paper.set_font_size(size)


def _table(paper: Paper, told: Table) -> None:
    """Rows that break over pages under a heading that is repeated; wide tables are written smaller."""
    texts = [[one.label for one in told.columns], *([*map(text_of, row)] for row in told.rows)]
    paper.pen("small")
    widths = _widths(paper, told, texts)
    paper.set_draw_color(palette()["line"])
    paper.set_fill_color(255)  # or the last colour used becomes that of the cells
    aligned = tuple(Align.L if _words(told, i) else Align.R for i in range(len(told.columns)))
    with paper.table(
        borders_layout=TableBordersLayout.HORIZONTAL_LINES,
        col_widths=tuple(widths),
        text_align=aligned,
        line_height=paper.font_size * 1.35,
        padding=(0.9, 0.8),
        headings_style=FontFace(color=palette()["muted"]),
        wrapmode=paper.wrap,
        repeat_headings=1,
    ) as table:
        heading = table.row()
        for text in texts[0]:
            heading.cell(text)
        for cells, row in zip(told.rows, texts[1:], strict=True):
            line = table.row()
            for cell, text in zip(cells, row, strict=True):
                line.cell(text, style=_face(cell))
    paper.ln(3)


def _words(told: Table, column: int) -> bool:
    return told.columns[column].text or not any(numeric(row[column]) for row in told.rows)


def _face(cell: Cell) -> FontFace | None:
    look = cast(str, getattr(cell, "look", ""))
    return FontFace(color=palette()[LOOKS[look]]) if look else None


def _widths(paper: Paper, told: Table, texts: Sequence[Sequence[str]]) -> list[float]:
    """The widths of columns: numbers whole, words share what is left; the letters get smaller until that fits."""
    for size in (8.0, 7.5, 7.0, 6.5, 6.0, 5.5, 5.0):
        paper.set_font_size(size)
        needed = [_needed(paper, told, texts, i) for i in range(len(told.columns))]
        least = [min(one, 26.0) if _words(told, i) else one for i, one in enumerate(needed)]
        if sum(least) <= paper.epw:
            break
    spare = max(paper.epw - sum(least), 0)
    wanted = [whole - own for whole, own in zip(needed, least, strict=True)]
    shares = [spare * want / sum(wanted) if sum(wanted) > spare else want for want in wanted]
    widths = [own + more for own, more in zip(least, shares, strict=True)]
    return [one * paper.epw / sum(widths) for one in widths]


def _needed(paper: Paper, told: Table, texts: Sequence[Sequence[str]], column: int) -> float:
    """The width of a column whose heading may break at its spaces."""
    heading = max(map(paper.get_string_width, texts[0][column].split() or [""]))
    body = max((paper.get_string_width(row[column]) for row in texts[1:]), default=0.0)
    return max(min(heading, 22.0), body) + 3.0


def _chart(paper: Paper, told: Chart) -> None:
    known = any(value is not None for one in told.series for value in one.values)
    paper.keep(68 if known else 12)
    _titled(paper, told.title, told.hint if known else told.empty or say("cli.nothing"))
    if known:
        draw_chart(paper, told)
        paper.ln(3)
