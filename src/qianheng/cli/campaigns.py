"""Standard campaigns of a simulated run, and what people saw beside them, for a person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from qianheng.cli.output import headings, money_text, print_table
from qianheng.core.words import say

if TYPE_CHECKING:
    from qianheng.actions.campaign_runs import CampaignRun
    from qianheng.actions.pools import Shown
    from qianheng.measures.sums import Sums

FIGURES = ("spend", "impressions", "clicks", "orders", "gmv", "payment_roi")


def print_campaigns(runs: Sequence[CampaignRun]) -> None:
    """What each campaign came to, and what each search brought it; nothing where there are none."""
    if not runs:
        return
    columns = headings("simulation", "campaign", *FIGURES, "commission", "profit")
    rows = [
        [run.campaign.name, *_figures(run.sums), money_text(run.sums.commission), money_text(run.profit)]
        for run in runs
    ]
    print_table(say("simulation.campaigns.title"), columns, rows)
    for run in runs:
        if run.searched:
            columns = headings("simulation", "keyword", *FIGURES)
            title = say("simulation.campaigns.searched", name=run.campaign.name)
            print_table(title, columns, [[one.keyword, *_figures(one.sums)] for one in run.searched])


def print_shown(shown: Shown | None) -> None:
    """What people saw, where all pools were ranked together."""
    if shown is None:
        return
    ads = "–" if shown.ads_per_user is None else f"{float(shown.ads_per_user):.2f}"
    shares = {
        name: "–" if share is None else f"{float(share):.1%}"
        for name, share in (("ad_share", shown.ad_share), ("relevance", shown.relevance))
    }
    typer.echo(say("simulation.shown", ads_per_user=ads, **shares))


def _figures(sums: Sums) -> list[str | None]:
    payment_roi = None if sums.payment_roi is None else f"{float(sums.payment_roi):.2f}"
    counts = (f"{number:,}" for number in (sums.impressions, sums.clicks, sums.orders))
    return [money_text(sums.spend), *counts, money_text(sums.gmv), payment_roi]
