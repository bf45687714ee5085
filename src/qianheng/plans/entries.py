"""An entry of another platform's change log, in our words: what was done to a plan there, when, by whom."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from qianheng.plans.plan import Goal


class LogField(StrEnum):
    """What an entry is about; `other` is kept as it was told."""

    TARGET = "target"
    GOAL = "goal"
    BID_MODE = "bid_mode"
    BUDGET = "budget"
    STATUS = "status"
    BOOST = "boost"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One field of a plan before and after, at a time (UTC microseconds).

    `log_id` is the platform's, or made of the entry's content where it tells none: the same entry always has the same.
    Values are ours where they are known: a target or a budget (yuan) as a decimal, a goal, bid mode or status by its
    code; `None` where the log does not say. `goal` is that of a target whose text names it. `text` is what stood there.
    """

    log_id: str
    at: int
    plan_id: str
    operator: str
    field: LogField
    before: str | None
    after: str | None
    text: str
    goal: Goal | None = None

    @property
    def key(self) -> str:
        """What names it: a later telling of the same replaces it."""
        return self.log_id
