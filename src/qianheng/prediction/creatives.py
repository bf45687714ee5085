"""How much more often than its product each creative is clicked, learnt from impressions and clicks (SPEC 8.1)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from qianheng.prediction.space import Float, Int, Space

CONVINCING = 20.0  # clicks after which a creative's own record weighs as much as its product's


class Creatives:
    """The creatives of products that have several; a product's only one, or its card, is as its product is.

    effect = (clicks + s) / (clicks its product's rate expects + s), so memory does not grow with time.
    """

    def __init__(self, space: Space) -> None:
        several = [(one, product) for product, ids in space.creatives.items() for one in ids if len(ids) > 1]
        self.ids: Int = np.array([one for one, _ in sorted(several)], np.int64)
        product: Int = np.array([product for _, product in sorted(several)], np.int64)
        self.item = np.stack([space.item(product, live) for live in (False, True)])  # [2, creatives]: page, room
        shape = (2, len(self.ids), space.cells)
        self.impressions, self.clicks = np.zeros(shape), np.zeros(shape)
        self.effect = np.ones(len(self.ids) + 1)  # the last: of all other creatives

    def row(self, creative_id: npt.ArrayLike) -> Int:
        """The row of each creative; the last for one that has no rival."""
        wanted, count = np.asarray(creative_id, np.int64), len(self.ids)
        place = np.searchsorted(self.ids, wanted)
        known = np.append(self.ids, -1)[place] == wanted
        return np.where(known, place, count)

    def learn(self, name: str, creative_id: Int, live: Int, cell: Int) -> None:
        """Count impressions or clicks (`name`) of these creatives [n], in a room where `live` is 1, by cell."""
        row = self.row(creative_id)
        mine = row < len(self.ids)
        np.add.at(getattr(self, name), (live[mine], row[mine], cell[mine]), 1.0)

    def refit(self, click_rate: Float) -> None:
        """Make the effects anew; click_rate: [items, cells] of a product, whatever creative it is shown with."""
        expected = (self.impressions * click_rate[self.item]).sum(axis=(0, 2))
        clicks = self.clicks.sum(axis=(0, 2))
        self.effect = np.append((clicks + CONVINCING) / (expected + CONVINCING), 1.0)

    def weighed(self, impressions: Float) -> Float:
        """[items, cells] impressions, each as much as its creative's effect."""
        if not len(self.ids):
            return impressions
        weighed = impressions.copy()
        np.add.at(weighed, self.item, self.impressions * (self.effect[:-1] - 1)[None, :, None])
        return np.maximum(weighed, 0.0)

    def doubt(self) -> Float:
        """[creatives + 1] relative standard error of each effect; none of what has no rival."""
        clicks = self.clicks.sum(axis=(0, 2))
        return np.append(1 / np.sqrt(clicks + CONVINCING / 4), 0.0)

    def snapshot(self) -> Mapping[str, npt.NDArray[np.generic]]:
        """What has been counted, and the effects made of it."""
        return {"impressions": self.impressions, "clicks": self.clicks, "effect": self.effect}

    def restore(self, state: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Go on with what a snapshot has counted."""
        self.impressions, self.clicks = (np.array(state[name], float) for name in ("impressions", "clicks"))
