"""The summary of a run as plain values: what `--json` prints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from qianheng.actions import splits
from qianheng.actions.boosts import boost_json
from qianheng.actions.campaign_runs import campaign_json
from qianheng.actions.earnings import peak_json, seller_json, taken_json
from qianheng.actions.incrementality import Incrementality, added_json
from qianheng.actions.pools import shown_json
from qianheng.actions.summary import PlanDay, PlanRun, RunSummary, gap_shares, hindsight_ratio_of
from qianheng.core.interval import yuan_json
from qianheng.core.money import Micros, ratio_text, yuan
from qianheng.measures.sums import Sums

OUTLOOK = ("feasible", "expected", "nearest")


def as_json(summary: RunSummary) -> dict[str, Any]:
    """The summary as plain values: money as decimal strings in yuan, ratios as decimal strings or `None`."""
    whole = _figures(summary.sums, summary.compensation) | {"profit": yuan(summary.profit)}
    run = {
        "target_roi": ratio_text(summary.target),
        "hindsight_ratio": _rounded(summary.hindsight_ratio),
        "gap": _rounded_gap(summary.gap),
        "ledger_balanced": summary.balanced,
        "seconds": round(summary.seconds, 3),
        "opportunities": summary.opportunities,
    }
    return {
        "scenario": summary.name,
        "seed": summary.seed,
        "first_day": summary.first_day.isoformat(),
        "days": summary.days,
        **whole,
        **run,
        "balance": {name: yuan(amount) for name, amount in summary.funds._asdict().items()},
        "plans": [_plan_json(plan, summary.balanced) for plan in summary.plans],
        "products": [seller_json(seller) for seller in summary.products],
        "shops": [seller_json(seller) for seller in summary.shops],
        "experience": shown_json(summary.shown),
        "campaigns": [campaign_json(campaign) for campaign in summary.campaigns],
        **({"incremental": [_incremental(one) for one in summary.added]} if summary.added else {}),
    }


def _incremental(found: Incrementality) -> dict[str, Any]:
    out = {"shop_id": found.hold_out.shop_id, "held_out": str(found.hold_out.share)}
    return out | added_json(found.whole) | {"forgone_gmv": yuan_json(found.cost)}


def _plan_json(plan: PlanRun, balanced: bool) -> dict[str, Any]:
    return {
        "plan_id": plan.plan.id,
        "name": plan.plan.name,
        "kind": plan.plan.kind,
        "goal": plan.plan.goal,
        "counting": plan.plan.counting,
        "pace": plan.plan.pace,
        "least_roi": None if plan.plan.least_roi is None else f"{plan.plan.least_roi.normalize():f}",
        **_figures(plan.sums, plan.compensation),
        "profit": yuan(plan.profit),
        "breakeven_roi": ratio_text(plan.earned.breakeven_roi),
        "breakeven_payment_roi": ratio_text(plan.earned.breakeven_payment_roi),
        "estimated": taken_json(plan.earned.estimated),
        "settled": taken_json(plan.earned.settled),
        "most_profit": peak_json(plan.most_profit),
        "target_roi": ratio_text(plan.target),
        "hindsight_ratio": _rounded(plan.hindsight_ratio),
        "gap": _rounded_gap(plan.gap),
        "ledger_balanced": balanced,
        "seconds": None,  # plans are served together: what one of them took is not known
        "opportunities": sum(day.opportunities for day in plan.days),
        "guarantee_days": {str(status): count for status, count in plan.guarantee_days().items()},
        "delivery_states": dict(plan.states),
        "refused_changes": [{"at": at.isoformat(), "why": why} for at, why in plan.refused],
        "boosts": [boost_json(boost, spend, plan.plan.timezone) for boost, spend in plan.boosts],
        **({"members": splits.as_json(plan.members)} if plan.members else {}),
        "outlooks": [
            {"day": day.isoformat(), **{name: told[name] for name in OUTLOOK}} for day, told in plan.outlooks.items()
        ],
        "days": [_day_json(day) for day in plan.days],
    }


def _day_json(day: PlanDay) -> dict[str, Any]:
    verdict = day.judged.verdict
    return {
        "day": day.day.isoformat(),
        **_figures(day.sums, day.judged.paid),
        "profit": yuan(day.contribution - day.sums.spend),
        "full_domain_gmv": yuan(day.all_sums.gmv),
        "target_roi": ratio_text(verdict.sums.weighted_target),
        "hindsight_ratio": _rounded(hindsight_ratio_of([day])),
        "gap": _rounded_gap(gap_shares([day])),
        "calibration": {name: _rounded(value) for name, value in asdict(day.correction).items()}
        if day.correction
        else None,
        "learning": dict(day.learning) | {"explored": yuan(day.learning["explored"])} if day.learning else None,
        "guarantee": {"status": day.judged.status, "reason": verdict.reason},
    }


def _figures(sums: Sums, compensation: Micros) -> dict[str, Any]:
    return {
        "spend": yuan(sums.spend),
        "gmv": yuan(sums.gmv),
        "orders": sums.orders,
        "impressions": sums.impressions,
        "clicks": sums.clicks,
        "boosted_spend": yuan(sums.boosted_spend),
        "boosted_gmv": yuan(sums.boosted_gmv),
        "boosted_orders": sums.boosted_orders,
        "boosted_roi": ratio_text(sums.boosted_roi),
        "invalid_spend": yuan(sums.invalid_spend),
        "payment_roi": ratio_text(sums.payment_roi),
        "net_roi": ratio_text(sums.net_roi),
        "settled_roi": ratio_text(sums.settled_roi(closed=True)),
        "overall_roi": ratio_text(sums.overall_roi),
        "refund_rate_1h": ratio_text(sums.refund_rate_1h),
        "compensation": yuan(compensation),
    }


def _rounded_gap(gap: Mapping[str, float]) -> dict[str, str]:
    return {cause: f"{share:.6f}" for cause, share in gap.items()}


def _rounded(share: float | None) -> str | None:
    return None if share is None else f"{share:.6f}"
