"""What every page stands in: one HTML file that a browser opens from disk, with nothing to fetch."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from qianheng.core.words import language, say
from qianheng.pages.parts import Child, Html, element

STATIC = Path(__file__).with_name("static")
# Nothing may be fetched: what the page needs is in it.
CONTENT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
LANGUAGE_TAGS = {"en": "en", "zh": "zh-CN"}


def whole_page(title: str, *children: Html) -> str:
    """A page of that title as self-contained HTML in the language spoken; one of its children is a `whole_main`."""
    scripts = (element("script", _static(name)) for name in ("echarts.min.js", "page.js"))
    body = element("body", *children, *scripts)
    return "<!doctype html>\n" + element("html", _head(title), body, lang=LANGUAGE_TAGS[language()])


def whole_main(*sections: Child) -> Html:
    """The main part of a page, with the words that charts need."""
    return element(
        "main", *sections, data_hours=say("pages.hours", value="{}"), data_days=say("pages.days", value="{}")
    )


def _head(title: str) -> Html:
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", http_equiv="Content-Security-Policy", content=CONTENT_POLICY),
        element("title", title),
        element("style", _static("page.css")),
    )


@cache
def _static(name: str) -> Html:
    return Html((STATIC / name).read_text(encoding="utf-8"))
