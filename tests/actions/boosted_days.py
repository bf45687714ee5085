"""The shop of `claimed_days` with a boost of creatives on its day: 3000 spent on ten orders of 900 each."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from qianheng.actions import books
from qianheng.core.days import HOUR, microseconds, midnight
from qianheng.core.money import YUAN
from qianheng.facts.batch import FactBatch
from qianheng.facts.schema import Kind
from qianheng.plans.boost import Boost, BoostKind
from qianheng.store import boosts
from tests.actions.claimed_days import DAY, PLAN, Shop, facts, orders

START = microseconds(midnight(DAY)) + 8 * HOUR
POLICY = "qianchuan-creative-boost"
BOOST = Boost(70, PLAN.id, BoostKind.CREATIVE, 4000 * YUAN, START, START + 12 * HOUR, Decimal("7.5"), (11,), POLICY)
BOOSTED = 3000 * YUAN  # spent; 9000 of GMV: 3000 − 9000 / 7.5 = 1800 are due


def boosted(shop: Shop) -> None:
    """Let the boost have run."""
    with shop.desk.database.begin() as connection:
        boosts.create(connection, BOOST)
        books.lease_boost(connection, BOOST, PLAN, DAY)
        books.capture(connection, BOOST, DAY, midnight(DAY + timedelta(days=1)), BOOSTED)
    driven: dict[str, Any] = {"boost": int(BoostKind.CREATIVE)}
    shop.tell(facts(Kind.BOOST, 1, 1, boost_id=BOOST.id, amount=BOOST.budget, ended=False, **driven))
    shop.tell(facts(Kind.CHARGE, 101, 10, amount=BOOSTED // 10, impression_id=np.arange(101, 111), **driven))
    shop.tell(sold(101, 10))


def sold(first: int, count: int, received: date | None = None, click: int = 101, **known: Any) -> FactBatch:
    """Orders of 900 that came of what the boost paid for."""
    told: dict[str, Any] = {"amount": 900 * YUAN, "click_id": click, "boost": int(BoostKind.CREATIVE)} | known
    return orders(first, count, None if received is None else midnight(received), **told)
