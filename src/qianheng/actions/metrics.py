"""The dictionary of measures with everything that tells them: facts, and the columns of other platforms' reports."""

from __future__ import annotations

from collections.abc import Iterator

from qianheng.core.plain import Json
from qianheng.core.words import say
from qianheng.measures.metrics import Metric, metric, metric_name, metrics
from qianheng.vendors.layouts import platforms
from qianheng.vendors.qianchuan.api import api

COLUMNS = ("metric", "called", "unit", "formula", "final", "meaning", "columns")


def asked(name: str = "") -> list[Metric]:
    """One measure, or all. None of that name: BadInput."""
    return [metric(name)] if name else list(metrics().values())


def sources(one: Metric) -> dict[str, list[str]]:
    """What tells a measure: the facts of a run, and by platform the columns of its reports and the
    fields of its API that are calculated with."""
    columns = {
        platform.name: [name for name, column in platform.columns.items() if _tells(column.field, column.unit, one)]
        for platform in platforms().values()
    }
    fields = [name for name, field in api().metrics.items() if field.field == one.name]
    return {name: told for name, told in {"facts": list(one.facts), **columns, "api": fields}.items() if told}


def _tells(field: str, unit: str, one: Metric) -> bool:
    return field == one.name and unit != "note"


def described(one: Metric) -> Json:
    """A measure as JSON: the words in the language spoken."""
    return {
        "name": one.name,
        "called": metric_name(one.name),
        "kind": one.kind,
        "unit": one.unit,
        "formula": one.formula or None,
        "over": list(one.over),
        "under": list(one.under),
        "final_after_hours": one.final_after_hours,
        "meaning": one.meaning,
        "sources": sources(one),
    }


def rows(some: list[Metric]) -> Iterator[list[str | None]]:
    """The dictionary as lines of a table, in the order of `COLUMNS`."""
    for one in some:
        final = say(f"metrics.final.{one.final_after_hours}")
        told = "; ".join(f"{say(f'metrics.source.{name}')}: {', '.join(names)}" for name, names in sources(one).items())
        unit = say(f"metrics.unit.{one.unit}")
        yield [one.name, metric_name(one.name), unit, one.formula or None, final, one.meaning, told or None]


def page() -> str:
    """The dictionary as a page of Markdown in the language spoken."""
    header = [say(f"metrics.column.{name}") for name in COLUMNS]
    lines = [header, ["---"] * len(header), *([cell or "" for cell in row] for row in rows(asked()))]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"# {say('metrics.title')}\n\n{say('metrics.page')}\n\n{table}\n"
