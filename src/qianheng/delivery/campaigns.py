"""Standard campaigns beside the plans: their manual bids as further columns of every auction, and their own budgets.

A bid for a click ranks at bid · click rate, one for a thousand impressions at a thousandth, a commission at what it is
expected to come to. A click is charged what the place costs over its click rate, so never above its bid.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from qianheng.core.placements import Placement
from qianheng.delivery.picker import best_sellers
from qianheng.facts.opportunities import Bool, Opportunities
from qianheng.plans.campaign import BidUnit, CampaignKind, StandardCampaign
from qianheng.plans.plan import PlanStatus
from qianheng.prediction.predictor import Predictor
from qianheng.prediction.space import Float, Int, Space

PLACEMENT = {
    CampaignKind.SEARCH: Placement.SEARCH,
    CampaignKind.DISPLAY: Placement.MALL,
    CampaignKind.FEED: Placement.FEED,
    CampaignKind.AFFILIATE: Placement.FEED,  # creators' own content
}
THOUSAND = 1000.0
_STATE = ("leased", "spent_today")


class Campaigns:
    """All standard campaigns as arrays, ascending by id. Tables over (cell, campaign) are made anew at each refit."""

    def __init__(self, campaigns: Sequence[StandardCampaign], space: Space, keywords: Sequence[str]) -> None:
        """`keywords`: what people search, by the number that requests carry."""
        self.campaigns = sorted(campaigns, key=lambda campaign: campaign.id)
        self.space = space
        self.ids = np.array([campaign.id for campaign in self.campaigns], np.int64)
        self.leased = np.zeros(len(self), np.int64)  # for today, micro-yuan
        self.spent_today = np.zeros(len(self), np.int64)
        self.running = np.array([campaign.status is PlanStatus.ACTIVE for campaign in self.campaigns], bool)
        self._placement = np.array([PLACEMENT[campaign.kind] for campaign in self.campaigns], np.int64)
        self._unit = np.array([campaign.unit for campaign in self.campaigns], "U8")
        self._bids = np.array([_bids(campaign, keywords) for campaign in self.campaigns]).reshape(
            len(self), len(keywords) + 1
        )
        shape = (space.cells, len(self))
        self._item, self._gmv, self.click_rate = np.zeros(shape, np.int64), np.zeros(shape), np.zeros(shape)

    def __len__(self) -> int:
        return len(self.campaigns)

    @property
    def left(self) -> Int:
        """[campaigns] what each may still spend today, micro-yuan; affiliates spend nothing and never run out."""
        budget = np.array([campaign.budget_daily for campaign in self.campaigns], np.int64)
        return np.maximum(np.minimum(self.leased, budget) - self.spent_today, 0)

    def refit(self, predictor: Predictor) -> None:
        """Take over refitted predictions: which product each campaign shows where, and how it is taken."""
        everywhere = np.arange(self.space.cells)
        for column, campaign in enumerate(self.campaigns):
            products = best_sellers(predictor, campaign.product_ids)[: campaign.picks or None]
            items = self.space.item(np.array([one.product_id for one in products]), False)
            best = items[predictor.gmv[items].argmax(axis=0)]
            self._item[:, column] = best
            self._gmv[:, column] = predictor.gmv[best, everywhere]
            self.click_rate[:, column] = predictor.click_rate[best, everywhere]

    def lease(self, campaign_id: int, amount: int) -> None:
        """Let a campaign spend this much today, micro-yuan, and never more than its budget."""
        self.leased[np.searchsorted(self.ids, campaign_id)] = amount

    def start_day(self) -> None:
        """A new natural day: budgets start anew."""
        self.leased[:], self.spent_today[:] = 0, 0

    def bids(self, batch: Opportunities) -> npt.NDArray[np.float32]:
        """[n, campaigns] what an impression is bid, micro-yuan, 0 where a campaign does not take part."""
        if not len(self):
            return np.zeros((len(batch), 0), np.float32)
        cell = self._cell(batch)
        bid, left = self._bid(batch), self.left[None, :]
        rate = self._rate(cell)
        per_impression = np.where(self._unit == BidUnit.THOUSAND, np.minimum(bid * rate, left), bid * rate)
        affordable = (self._unit == BidUnit.ORDER) | (left >= np.maximum(per_impression, 1))
        here = self.running & (batch.placement[:, None] == self._placement)
        return np.where(here & affordable, per_impression, 0).astype(np.float32)

    def due(self, batch: Opportunities, row: Int, campaign: Int, price: Int) -> Int:
        """[m] what each win owes when it is charged, micro-yuan: a place costs `price` an impression.

        row: of the batch; campaign: row of the campaign. A click owes more than a look, an affiliate owes nothing.
        """
        unit, rate = self._unit[campaign], self.click_rate[self._cell(batch)[row], campaign]
        bid = self._bid(batch)[row, campaign]
        by_click = np.floor(np.minimum(np.ceil(price / np.maximum(rate, 1e-12)), bid))
        return np.select([unit == BidUnit.CLICK, unit == BidUnit.THOUSAND], [by_click, price], 0).astype(np.int64)

    def charged(self, campaign: Int, seen: Bool, clicked: Bool) -> Bool:
        """[m] which wins are charged: looks at those bid for by the thousand, clicks on those bid for by the click."""
        unit = self._unit[campaign]
        cases: list[Bool] = [unit == BidUnit.CLICK, unit == BidUnit.THOUSAND]
        return np.select(cases, [seen & clicked, seen], False)

    def chosen(self, batch: Opportunities, row: Int, campaign: Int) -> tuple[Int, Int]:
        """The product that each win shows, and its predicted paid GMV, micro-yuan."""
        where = self._cell(batch)[row], campaign
        return self.space.product_of(self._item[where]), np.rint(self._gmv[where]).astype(np.int64)

    def products(self, batch: Opportunities) -> Int:
        """[n, campaigns] the product that each would show, by its place among all products."""
        return self._item[self._cell(batch)] % len(self.space.product_ids)

    def relevance(self, batch: Opportunities) -> Float:
        """[n, campaigns] the chance of a click on what each would show, when it is seen."""
        return self.click_rate[self._cell(batch)]

    def snapshot(self) -> dict[str, npt.NDArray[Any]]:
        """The running state at the end of a day."""
        return {name: getattr(self, name).copy() for name in _STATE}

    def restore(self, state: dict[str, npt.NDArray[Any]]) -> None:
        """Go on exactly where `snapshot` was taken."""
        for name in _STATE:
            setattr(self, name, state[name].copy())

    def _cell(self, batch: Opportunities) -> Int:
        return self.space.cell(batch.placement, batch.category, batch.audience)

    def _bid(self, batch: Opportunities) -> Float:
        """[n, campaigns] the bid in its own unit: of the keyword searched, or the campaign's one bid."""
        keyword = np.full(len(batch), -1) if batch.keyword is None else batch.keyword
        return self._bids[:, keyword].T

    def _rate(self, cell: Int) -> Float:
        """[n, campaigns] how much of its bid an impression is worth to a campaign."""
        commission = np.array([float(campaign.commission_rate) for campaign in self.campaigns])
        units = [self._unit == BidUnit.CLICK, self._unit == BidUnit.THOUSAND]
        return np.select(units, [self.click_rate[cell], 1 / THOUSAND], self._gmv[cell] * commission)


def _bids(campaign: StandardCampaign, keywords: Sequence[str]) -> list[float]:
    """The bid on each keyword, and last that on a request without one, which a search campaign does not want."""
    if campaign.kind is CampaignKind.SEARCH:
        return [*(float(campaign.bid_on(searched)) for searched in keywords), 0.0]
    return [1.0 if campaign.bid is None else float(campaign.bid)] * (len(keywords) + 1)
