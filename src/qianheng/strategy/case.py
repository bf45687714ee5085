"""A plan that something may be proposed for: its figures and its market, the rules, and whom a proposal asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Literal, NamedTuple

from qianheng.core import tables
from qianheng.core.errors import BadInput, raise_together
from qianheng.core.money import Micros, ratio
from qianheng.diagnosis.findings import Anomaly, Finding
from qianheng.diagnosis.verdicts import Thresholds
from qianheng.diagnosis.worth import worth_of
from qianheng.measures.history import History, Setting
from qianheng.measures.reports import Figures
from qianheng.plans.plan import Goal, Value
from qianheng.strategy.goals import GoalAdvice
from qianheng.strategy.landscape import Landscape
from qianheng.strategy.learning import Learnt
from qianheng.strategy.promotions import PromotionAdvice
from qianheng.strategy.proposal import Action, Proposal
from qianheng.strategy.rules import TargetRules, advice_rules
from qianheng.strategy.targets import TargetAdvice
from qianheng.strategy.whatif import Outlook, Trial, outlook

SHIPPED = Path(__file__).with_name("proposing.toml")
Asked = Literal["advised_target", "raise_target", "cut_budget", "pause"]


@dataclass(frozen=True, slots=True)
class Rules:
    """How proposals are made; each field as its comment in `proposing.toml` says."""

    target_steps: tuple[Decimal, ...]
    budget_steps: tuple[Decimal, ...]
    gain_least: Decimal
    gain_least_share: Decimal
    days_seen: int
    days_least: int
    days_watched: int
    days_losing: int
    days_balance: int
    verdicts: dict[str, Asked]
    findings: dict[str, str]

    def __post_init__(self) -> None:
        actions = {str(action) for action in Action}
        raise_together(
            [
                BadInput("proposals.unknown_action", place=f"findings.{name}", value=action, known=", ".join(actions))
                for name, action in self.findings.items()
                if action not in actions
            ]
            + [BadInput("proposals.no_action", place=f"findings.{one}") for one in Anomaly if one not in self.findings]
        )


def rules(path: Path | None = None) -> Rules:
    """The rules in a TOML file, or those shipped. Unknown or missing key, or a wrong value: BadInput."""
    place = path or SHIPPED
    return tables.build(Rules, tables.read_toml(place), str(place))


class Stake(NamedTuple):
    """What a change would do to the guarantee of its day: whether it costs it, and the compensation due so far."""

    costs: bool
    amount: Micros = 0


StakeOf = Callable[[str, Mapping[str, Value]], Stake]


def _nothing(plan_id: str, after: Mapping[str, Value]) -> Stake:
    return Stake(costs=False)


@dataclass(frozen=True, slots=True)
class Advisers:
    """Whom a proposal asks: the landscapes of plans that have learned of their market, what a change does to the
    guarantee of its day, what followed earlier advice, what figures are judged by, how targets are stepped, and changes
    that were measured to hurt.
    """

    landscapes: Mapping[str, Landscape] = field(default_factory=dict)
    stake: StakeOf = _nothing
    learnt: Learnt = field(default_factory=Learnt)
    thresholds: Thresholds | None = None
    targets: TargetRules = field(default_factory=lambda: advice_rules().target)
    undo: tuple[Proposal, ...] = ()
    findings: tuple[Finding, ...] = ()
    goal: GoalAdvice | None = None
    promotion: PromotionAdvice | None = None
    after_promotion: tuple[Proposal, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """A plan that something may be proposed for, with what is advised for its target."""

    history: History
    plan_id: str
    setting: Setting
    advisers: Advisers
    rules: Rules
    advice: TargetAdvice

    @property
    def seen(self) -> Figures:
        """Its last days, since it was changed if that is later."""
        days = min(self.rules.days_seen, max(1, (self.history.now - self.setting.at).days))
        return self.history.last(days, self.history.plan_subject(self.plan_id))

    @property
    def days(self) -> int:
        """How many days `seen` holds something of."""
        days = min(self.rules.days_seen, max(1, (self.history.now - self.setting.at).days))
        return len(self.history.each(self.history.plan_subject(self.plan_id), *self.history.back(days)))

    @property
    def margin(self) -> Fraction | None:
        """What a yuan of its GMV contributes before spend: as its market tells, else as its history does."""
        landscape = self.advisers.landscapes.get(self.plan_id)
        told = None if landscape is None else landscape.market.shares.contribution
        if told is not None:
            return Fraction(told).limit_denominator(10_000)
        return worth_of(self.history, self.history.plan_subject(self.plan_id)).margin

    def expected(self, setting: Setting) -> Outlook | None:
        """What a day under another setting brings, by what-ifs; `None` where its market is not known."""
        landscape = self.advisers.landscapes.get(self.plan_id)
        if landscape is None or setting.budget_daily is None:
            return None
        if (setting.goal, setting.bid_mode) != (self.setting.goal, self.setting.bid_mode):
            market = replace(landscape.market, goal=setting.goal, bid_mode=setting.bid_mode)
            landscape = replace(landscape, market=market)
        target = None if setting.target is None else float(setting.target)
        return outlook(landscape, Trial(target, float(setting.budget_daily)))

    def roi(self, seen: Figures) -> Fraction | None:
        """The ROI of its goal, as far as it is known so soon: of a net goal on net GMV, else on GMV."""
        gmv = seen.net_gmv if self.setting.goal is Goal.NET and seen.net_gmv is not None else seen.gmv
        return None if gmv is None or seen.spend is None else ratio(gmv, seen.spend)
