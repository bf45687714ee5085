"""What products and shops earned, on the report page: profit, breakeven ROI, and what was taken of their orders."""

from __future__ import annotations

from collections.abc import Sequence

from qianheng.actions.earnings import Earned, Seller
from qianheng.actions.summary import PlanRun, RunSummary
from qianheng.core.money import to_fen
from qianheng.core.words import say
from qianheng.incentives.settling import Taken
from qianheng.pages.parts import Cell, Html, count, element, money, panel, roi, section, table

COLUMNS = ("orders", "gmv", "settled_gmv", "spend", "profit", "breakeven_roi", "breakeven_payment_roi")
TAKEN = ("service_fee", "commission", "coupon", "subsidy")


def earnings_section(summary: RunSummary) -> Html:
    """The section on what was earned."""
    panels = [
        _panel("products", _sellers(summary.products)),
        _panel("shops", _sellers(summary.shops)),
        _taken([(seller.name, seller.earned) for seller in summary.shops]),
        _overall(summary.plans),
    ]
    return section("earnings", say("earnings.title"), element("div", *panels, class_="panels"))


def _panel(name: str, rows: list[list[Cell]]) -> Html:
    title = say(f"earnings.{name}")
    columns: list[Cell] = [say("earnings.seller"), *((say(f"earnings.{column}"), "number") for column in COLUMNS)]
    return panel(title, say(f"earnings.{name}_hint"), table(columns, rows, title), class_="wide")


def _sellers(sellers: Sequence[Seller]) -> list[list[Cell]]:
    return [[seller.name, *_numbers(_figures(seller.earned))] for seller in sellers]


def _figures(earned: Earned) -> list[str]:
    amounts = (earned.estimated.gmv, earned.settled.gmv, earned.spend, earned.profit)
    rois = (earned.breakeven_roi, earned.breakeven_payment_roi)
    return [count(earned.orders), *map(money, amounts), *map(roi, rois)]


def _taken(named: Sequence[tuple[str, Earned]]) -> Html:
    """Estimated when paid beside settled after refunds."""
    title = say("earnings.taken")
    columns: list[Cell] = [say("earnings.seller"), say("earnings.when")]
    columns += [(say(f"earnings.{name}"), "number") for name in TAKEN]
    rows: list[list[Cell]] = [
        [name, say(f"earnings.{when}"), *_numbers(_amounts(taken))]
        for name, earned in named
        for when, taken in (("estimated", earned.estimated), ("settled", earned.settled))
    ]
    return panel(title, say("earnings.taken_hint"), table(columns, rows, title), class_="wide")


def _amounts(taken: Taken) -> list[str]:
    return [money(getattr(taken, name)) for name in TAKEN]


def _overall(plans: Sequence[PlanRun]) -> Html:
    """What each plan's overall ROI is made of, and the ROI at which its profit would be highest."""
    title = say("earnings.overall_title")
    parts = ("net_gmv", "spend", "service_fee", "commission", "coupon")
    heads = (*parts, "overall_roi", *COLUMNS[-2:], "best_target", "best_profit")
    columns: list[Cell] = [say("earnings.plan"), *((say(f"earnings.{name}"), "number") for name in heads)]
    rows: list[list[Cell]] = []
    for run in plans:
        amounts = [money(getattr(run.sums, name)) for name in parts]
        rois = [roi(one) for one in (run.sums.overall_roi, run.earned.breakeven_roi, run.earned.breakeven_payment_roi)]
        rows.append([run.plan.name, *_numbers([*amounts, *rois, *_best(run)])])
    return panel(title, say("earnings.overall_hint"), table(columns, rows, title), class_="wide")


def _best(run: PlanRun) -> list[str]:
    best = run.most_profit
    return ["–", "–"] if best is None else [f"{best.target:.2f}", money(to_fen(round(best.profit)))]


def _numbers(texts: Sequence[str]) -> list[Cell]:
    return [(text, "number") for text in texts]
