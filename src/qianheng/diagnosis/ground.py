"""The ground a diagnosis stands on: a subject, the days looked at, and what they are held against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise

from qianheng.core.interval import Interval
from qianheng.diagnosis.evidence import Unit
from qianheng.diagnosis.findings import Finding
from qianheng.diagnosis.peers import Peers
from qianheng.diagnosis.worth import Worth, worth_of
from qianheng.measures.history import About, History, PlanHistory, Setting, Subject
from qianheng.measures.reports import Figures, Span


@dataclass(frozen=True, slots=True)
class Windows:
    """Which days are looked at: the last `days` whole days, held against the `before` days ahead of them, and, for the
    shop's base, all of its last `base` days. prior: how many events the base is worth where little was seen.
    """

    days: int = 7
    before: int = 14
    base: int = 28
    prior: int = 5


@dataclass(frozen=True, slots=True)
class Reading:
    """A figure by its name: its value, where it truly lies (`None`: exactly there), on how many events or days that
    rests. `value` is `None` where the input named by `missing` is not known, or, if nothing is missing, where there is
    no such thing (a plan whose goal never changed).
    """

    name: str
    value: Fraction | None
    unit: Unit = "ratio"
    between: Interval | None = None
    rests_on: int | None = None
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Ground:
    """What readings are taken from. `findings`: `None` if nobody looked for any. `since`: the day from which things are
    told apart from before, if it is not the beginning of the window. `more`: so many days more, like those seen.
    """

    history: History
    subject: Subject
    windows: Windows = field(default_factory=Windows)
    findings: Sequence[Finding] | None = None
    peers: Peers = field(default_factory=Peers)
    since: date | None = None
    more: int = 0

    @property
    def after(self) -> Span:
        """The days that are looked at."""
        first, last = self.history.back(self.windows.days)
        return self.since or first, last

    @property
    def before(self) -> Span:
        """The days ahead of them."""
        return self.after[0] - timedelta(days=self.windows.before), self.after[0] - timedelta(days=1)

    @property
    def days(self) -> list[Figures]:
        """The days that are looked at."""
        return list(self.history.each(self.subject, *self.after).values())

    @property
    def times(self) -> Fraction:
        """How many times as long those days are taken to be."""
        return Fraction(self.windows.days + self.more, self.windows.days)

    @property
    def days_before(self) -> list[Figures]:
        """The days ahead of them."""
        return list(self.history.each(self.subject, *self.before).values())

    @property
    def days_of_base(self) -> list[Figures]:
        """All of the shop in its last days, plan by plan, without what is looked at."""
        span = self.history.back(self.windows.base)
        plans = self.history.of(About.PLAN) or [self.history.whole_shop]
        told = ((plan, day, one) for plan in plans for day, one in self.history.each(plan, *span).items())
        return [one for plan, day, one in told if plan != self.subject or day < self.after[0]]

    @property
    def days_settled(self) -> list[Figures]:
        """The subject's last days of which it is known what came back within seven days."""
        days = self.history.each(self.subject, *self.history.back(self.windows.base)).values()
        return [one for one in days if one.refunded_7d is not None]

    @property
    def plan(self) -> PlanHistory | None:
        """The plan, if the subject is one."""
        return self.history.plans.get(self.subject.id) if self.subject.about is About.PLAN else None

    @property
    def setting(self) -> Setting | None:
        """What the plan is set to."""
        return self.plan.setting if self.plan else None

    @property
    def goal_switched(self) -> date | None:
        """The day on which the plan's goal was last switched; `None` if it never was, as far as is known."""
        settings = self.plan.settings if self.plan else ()
        times = [after.at for before, after in pairwise(settings) if before.goal is not after.goal]
        return times[-1].astimezone(self.history.now.tzinfo).date() if times else None

    @property
    def worth(self) -> Worth:
        """What a yuan of its net GMV is worth."""
        return worth_of(self.history, self.subject)
