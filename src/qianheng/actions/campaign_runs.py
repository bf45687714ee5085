"""What standard campaigns came to in a run, and what each search brought them (SPEC 4.6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection

from qianheng.actions.simulation import RunFolder
from qianheng.core.money import Micros, ratio, ratio_text, yuan
from qianheng.facts.schema import Channel
from qianheng.measures.days import Days
from qianheng.measures.query import plan_day, plan_day_traffic, plan_keyword, sums_of
from qianheng.measures.sums import Sums, total
from qianheng.plans.campaign import StandardCampaign


@dataclass(frozen=True, slots=True)
class Searched:
    """What people searched, what was shown for it and what came of that."""

    keyword: str
    sums: Sums


@dataclass(frozen=True, slots=True)
class CampaignRun:
    """A standard campaign over the whole run: the orders it reached, as `attributed` plans count, and its searches."""

    campaign: StandardCampaign
    sums: Sums
    searched: Sequence[Searched]
    contribution: Micros  # of the orders it reached, before spend

    @property
    def profit(self) -> Micros:
        """The contribution of the orders it reached, less spend."""
        return self.contribution - self.sums.spend


def campaign_runs(
    connection: Connection, run: RunFolder, days: Days, earned: Mapping[tuple[int, date], Micros]
) -> list[CampaignRun]:
    """Every standard campaign of a run, from its facts. earned: what promoted orders contributed, by id and day."""
    campaigns = run.scenario.campaign_records()
    if not campaigns:
        return []
    lake = run.lake()
    sold = sums_of(lake.query(connection, plan_day(days)), Channel.PROMOTED)
    shown = sums_of(lake.query(connection, plan_day_traffic(days)))
    searched = _searched(lake.query(connection, plan_keyword(days)).to_pylist(), run.scenario.searched())
    return [
        CampaignRun(
            campaign,
            total(_of(campaign.id, sold, shown)),
            searched.get(campaign.id, ()),
            sum(amount for (id_, _), amount in earned.items() if id_ == campaign.id),
        )
        for campaign in campaigns
    ]


def campaign_json(run: CampaignRun) -> dict[str, Any]:
    """A campaign as plain values: money as decimal strings in yuan, ratios as decimal strings or `None`."""
    sums = run.sums
    return {
        "campaign_id": run.campaign.id,
        "name": run.campaign.name,
        "kind": run.campaign.kind,
        "unit": run.campaign.unit,
        **_figures(sums),
        "commission": yuan(sums.commission),
        "profit": yuan(run.profit),
        "net_roi": ratio_text(sums.net_roi),
        "settled_roi": ratio_text(sums.settled_roi(closed=True)),
        "refund_rate_1h": ratio_text(sums.refund_rate_1h),
        "keywords": [{"keyword": searched.keyword, **_figures(searched.sums)} for searched in run.searched],
    }


def _figures(sums: Sums) -> dict[str, Any]:
    return {
        "spend": yuan(sums.spend),
        "impressions": sums.impressions,
        "clicks": sums.clicks,
        "orders": sums.orders,
        "gmv": yuan(sums.gmv),
        "payment_roi": ratio_text(ratio(sums.gmv, sums.spend)),
    }


def _of(id_: int, *sums: dict[tuple[int, Any], Sums]) -> list[Sums]:
    return [held for part in sums for (plan_id, _), held in part.items() if plan_id == id_]


def _searched(rows: Sequence[dict[str, int]], keywords: Sequence[str]) -> dict[int, list[Searched]]:
    """The searches of each plan or campaign, those that cost most first."""
    found: dict[int, list[Searched]] = {}
    for row in sorted(rows, key=lambda row: (-row["spend"], row["keyword"])):
        names = ("spend", "orders", "gmv", "impressions", "clicks")
        sums = Sums(**{name: row[name] for name in names})
        found.setdefault(row["plan_id"], []).append(Searched(keywords[row["keyword"]], sums))
    return found
