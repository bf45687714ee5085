"""What products and shops of a run earned, for a person, and what was taken of their orders."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

import typer

from qianheng.cli.output import money_text, print_table
from qianheng.core.words import say

if TYPE_CHECKING:
    from qianheng.actions.earnings import Earned, Seller
    from qianheng.actions.summary import PlanRun, RunSummary

FIGURES = ("orders", "gmv", "settled_gmv", "taken_estimated", "taken_settled", "spend", "profit")
ROIS = ("breakeven_roi", "breakeven_payment_roi")


def print_earnings(summary: RunSummary) -> None:
    """Profit and breakeven of each product and shop, and where each plan's profit would be highest."""
    columns = [say(f"earnings.{name}") for name in ("seller", *FIGURES, *ROIS)]
    rows = [[seller.name, *_figures(seller.earned)] for seller in _sellers(summary)]
    print_table(say("earnings.title"), columns, rows)
    for plan in summary.plans:
        typer.echo(_parts(plan))
        if (best := plan.most_profit) is not None:
            money = {name: f"{getattr(best, name) / 1e6:,.2f}" for name in ("profit", "spend")}
            told = {"target": f"{best.target:.2f}", "roi": f"{best.payment_roi:.2f}", **money}
            typer.echo(say("earnings.most_profit", plan=plan.plan.name, **told))


def _sellers(summary: RunSummary) -> Sequence[Seller]:
    return [*summary.products, *summary.shops]


def _parts(plan: PlanRun) -> str:
    """What the overall ROI of a plan is made of."""
    sums = plan.sums
    money = {
        name: money_text(getattr(sums, name)) for name in ("net_gmv", "spend", "service_fee", "commission", "coupon")
    }
    return say("earnings.overall", plan=plan.plan.name, roi=_ratio(sums.overall_roi) or "–", **money)


def _figures(earned: Earned) -> list[str | None]:
    taken = (one.service_fee + one.commission + one.coupon for one in (earned.estimated, earned.settled))
    money = (earned.estimated.gmv, earned.settled.gmv, *taken, earned.spend, earned.profit)
    rois = (earned.breakeven_roi, earned.breakeven_payment_roi)
    return [f"{earned.orders:,}", *map(money_text, money), *map(_ratio, rois)]


def _ratio(value: Fraction | None) -> str | None:
    return None if value is None else f"{float(value):.2f}"
