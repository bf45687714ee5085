"""What users came to, as the sums that experiments compare: the SQL, and its answer as columns over users."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from qianheng.facts.schema import Channel
from qianheng.measures.query import channel_of, sum_by
from qianheng.plans.plan import Plan

Int64 = npt.NDArray[np.int64]
SUMMED = (
    *("spend", "impressions", "clicks", "orders", "gmv", "refunded_1h", "refunded_7d"),
    *("counted_gmv", "counted_refunded_1h"),
)


@dataclass(frozen=True, slots=True)
class UserSums:
    """Sums over users [n], ascending by id: money in micro-yuan. `gmv`, `net_gmv`, `orders` and `refunded_…` are of
    all orders of the products, promoted or not; `counted_…` of those that count for the plans. `profit` (`earning`):
    what is left of orders after refunds, times the shop's margin, less spend.

    by_plan: the spend of each plan on each of them.
    """

    user_id: Int64
    columns: dict[str, Int64]
    by_plan: dict[int, Int64] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Int64:
        """A sum by its name."""
        if name.endswith("net_gmv"):
            prefix = name.removesuffix("net_gmv")
            return self.columns[f"{prefix}gmv"] - self.columns[f"{prefix}refunded_1h"]
        return self.columns[name]

    def earning(self, margin: Fraction) -> UserSums:
        """The same with `profit`, at a contribution before spend that is such a share of what refunds within seven days
        have left. Rounded down to the micro-yuan, user by user.
        """
        left = self["gmv"] - self["refunded_7d"]
        share = left.astype(object) * margin.numerator // margin.denominator
        return replace(self, columns=self.columns | {"profit": share.astype(np.int64) - self["spend"]})

    def of(self, user_id: Int64, name: str) -> Int64:
        """A sum of other users [m], 0 of those that are not among these."""
        if not len(self.user_id):
            return np.zeros(len(user_id), np.int64)
        place = np.minimum(np.searchsorted(self.user_id, user_id), len(self.user_id) - 1)
        return np.where(self.user_id[place] == user_id, self[name][place], 0)


def user_sums(since: int, until: int, plans: Sequence[Plan]) -> str:
    """SQL: what each user came to between two instants (UTC microseconds), of some plans (at least one) and their
    products.
    """
    counted = {channel_of(plan.counting) for plan in plans} == {Channel.PROMOTED}
    told = {
        "plans": _listed(plan.id for plan in plans),
        "products": _listed({product for plan in plans for product in plan.product_ids}),
        "counted": f"f.channel = {int(Channel.PROMOTED)}" if counted else "f.channel >= 0",
    }
    text = Path(__file__).with_name("sql").joinpath("user_sums.sql").read_text(encoding="utf-8")
    return text.format(since=since, until=until, **told)


def of_users(answer: pa.Table) -> UserSums:
    """The answer of `user_sums`, a row a user."""
    users, plans = answer["user_id"].to_numpy(), answer["plan_id"].to_numpy()
    (user_id,), columns = sum_by([users], {name: answer[name].to_numpy() for name in SUMMED})
    place = np.searchsorted(user_id, users)
    by_plan = {}
    for plan in np.unique(plans[plans >= 0]).tolist():
        spend = by_plan[plan] = np.zeros(len(user_id), np.int64)
        np.add.at(spend, place[plans == plan], answer["spend"].to_numpy()[plans == plan])
    return UserSums(user_id, columns, by_plan)


def nothing() -> UserSums:
    """No users at all."""
    empty = np.empty(0, np.int64)
    return UserSums(empty, dict.fromkeys(SUMMED, empty))


def _listed(ids: Iterable[int]) -> str:
    return ", ".join(f"{one:d}" for one in sorted(ids))
