"""The product picker: which products of a shop sell best as they are shown (SPEC 4.6, 10.6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qianheng.prediction.predictor import Predictor


@dataclass(frozen=True, slots=True)
class Pick:
    """A product as it is expected to do on its page when it is shown."""

    product_id: int
    ctr: float  # clicks an impression
    cvr: float  # orders a click
    gmv: float  # paid and kept for seven days, micro-yuan an impression


def picked(predictor: Predictor, product_ids: Sequence[int], most: int) -> tuple[int, ...]:
    """The products to show of these, `most` at most, ascending: the best by what an impression may well bring.

    That is the mean and one standard error more, so what is hardly known is tried until it is known (upper confidence
    bounds, Auer and others 2002).
    """
    doubt = predictor.doubt()[predictor.space.item(np.array(product_ids, np.int64), False)]
    hope = dict(zip(product_ids, np.exp(doubt).tolist(), strict=True))
    ranked = sorted(best_sellers(predictor, product_ids), key=lambda pick: -pick.gmv * hope[pick.product_id])
    return tuple(sorted(pick.product_id for pick in ranked[:most]))


def best_sellers(predictor: Predictor, product_ids: Sequence[int]) -> list[Pick]:
    """The products by what an impression of them is expected to bring and keep, best first; ties by id.

    The cells weigh as many impressions as all products had in them, one at least. Few facts of a product leave it
    near its category, so a new one is neither buried nor praised.
    """
    seen = predictor.impressions.sum(axis=0) + 1.0
    weight = seen / seen.sum()
    items = predictor.space.item(np.array(product_ids, np.int64), False)
    ctr = predictor.click_rate[items] @ weight
    orders = (predictor.click_rate[items] * predictor.order_rate[items]) @ weight
    gmv = (predictor.gmv[items] @ weight) * predictor.kept_7d[items]
    rows = zip(product_ids, ctr.tolist(), (orders / ctr).tolist(), gmv.tolist(), strict=True)
    return sorted((Pick(*row) for row in rows), key=lambda pick: (-pick.gmv, pick.product_id))
