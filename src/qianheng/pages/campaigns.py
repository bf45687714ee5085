"""Standard campaigns on the report page: what each came to, and what people had searched when it was shown."""

from __future__ import annotations

from collections.abc import Sequence

from qianheng.actions.campaign_runs import CampaignRun
from qianheng.core.words import say
from qianheng.measures.sums import Sums
from qianheng.pages.parts import Cell, Html, count, element, money, panel, roi, section, table

FIGURES = ("spend", "impressions", "clicks", "orders", "gmv", "payment_roi")


def campaigns_section(runs: Sequence[CampaignRun]) -> Html | None:
    """The section on standard campaigns; `None` where there are none."""
    if not runs:
        return None
    title = say("pages.campaigns.title")
    columns: list[Cell] = [say("pages.campaigns.name"), say("pages.campaigns.kind_column"), *_headings()]
    columns += [(say("pages.campaigns.commission"), "number"), (say("pages.figure.profit"), "number")]
    rows: list[list[Cell]] = [
        [run.campaign.name, say(f"pages.campaigns.kind.{run.campaign.kind}"), *_cells(run.sums), *_earned(run)]
        for run in runs
    ]
    searches = [_searches(run) for run in runs if run.searched]
    every = panel(say("pages.campaigns.each"), say("pages.campaigns.hint"), table(columns, rows, title), class_="wide")
    return section("campaigns", title, element("div", every, *searches, class_="panels"))


def _searches(run: CampaignRun) -> Html:
    title = say("pages.campaigns.searched", name=run.campaign.name)
    columns: list[Cell] = [say("pages.campaigns.keyword"), *_headings()]
    rows: list[list[Cell]] = [[searched.keyword, *_cells(searched.sums)] for searched in run.searched]
    return panel(title, say("pages.campaigns.searched_hint"), table(columns, rows, title), class_="wide")


def _headings() -> list[Cell]:
    return [(say(f"pages.campaigns.figure.{name}"), "number") for name in FIGURES]


def _cells(sums: Sums) -> list[Cell]:
    told = (
        money(sums.spend),
        count(sums.impressions),
        count(sums.clicks),
        count(sums.orders),
        money(sums.gmv),
        roi(sums.payment_roi),
    )
    return [(text, "number") for text in told]


def _earned(run: CampaignRun) -> list[Cell]:
    return [(money(run.sums.commission), "number"), (money(run.profit), "number")]
