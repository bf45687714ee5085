"""Alert rules are data: what is measured, of what, against which limit, for how long, and how loud (SPEC 11).

`alert_rules.toml` ships them; the owner's file of the same shape is laid over it, rule by rule and field by field. The
bands of SPEC 11 stand once, in `thresholds.toml`: each band that is not normal makes a rule here.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from qianheng.core import tables
from qianheng.core.errors import BadInput, raise_together
from qianheng.core.money import Micros, decimal, micros
from qianheng.core.words import known
from qianheng.diagnosis.alert_measures import FINDING, MEASURES, Reading
from qianheng.diagnosis.chance import deviations
from qianheng.diagnosis.evidence import Severity
from qianheng.diagnosis.findings import Anomaly
from qianheng.diagnosis.verdicts import Band, Thresholds
from qianheng.measures.history import About
from qianheng.measures.windows import Watched, Window

SHIPPED = Path(__file__).with_name("alert_rules.toml")
_MINUTES = {"m": 1, "h": 60, "d": 24 * 60}
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def minutes(text: str, place: str = "") -> int:
    """The length of time in "15m", "2h" or "3d", in minutes. Anything else: BadInput."""
    count, unit = text[:-1], text[-1:]
    if unit not in _MINUTES or not (count.isascii() and count.isdigit()) or len(count) > 5:
        raise BadInput("alerts.rules.not_a_length", place=place, value=text)
    return int(count) * _MINUTES[unit]


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """How a figure is watched: of what, in which window ("15m", "1h", "today", "3d": whole days before today), for how
    long the condition must last and stay away, and the least that must have happened in the window to speak of it.
    """

    about: Literal["shop", "plan", "product", "creative", "any"]
    window: str
    lasting: str = "0m"
    keep_firing_for: str = "15m"
    repeat: str = "1d"
    escalate_after: str = "2h"
    orders: int = 0
    clicks: int = 0
    impressions: int = 0
    spend: str = "0"  # yuan
    playbook: str = ""
    inhibited_by: tuple[str, ...] = ()
    enabled: bool = True

    def faults(self) -> Iterator[BadInput]:
        """What cannot be read."""
        for name in ("lasting", "keep_firing_for", "repeat", "escalate_after"):
            yield from _caught(minutes, getattr(self, name), name)
        if self.window != "today":
            yield from _caught(minutes, self.window, "window")
        yield from _caught(micros, self.spend, "spend")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(Watching):
    """A rule: a watched measure, compared with a limit. `verdict` names what is to be done in the words of a verdict;
    `anomaly` what the measure `finding` is asked for, of anything; `en` and `zh` are the owner's own words for a rule
    that the catalogue does not know.
    """

    measure: str
    comparison: Literal["<", "<=", ">", ">="]
    limit: str
    severity: Literal["watch", "act", "urgent"]
    verdict: str = ""
    anomaly: str = ""
    en: str = ""
    zh: str = ""

    def __post_init__(self) -> None:
        raise_together([*self.faults(), *self._faults()])

    def _faults(self) -> Iterator[BadInput]:
        measure = MEASURES.get(self.measure)
        if self.measure == FINDING:
            yield from self._faults_of_finding()
        elif measure is None:
            measures = ", ".join((*MEASURES, FINDING))
            yield BadInput("alerts.rules.no_measure", place="measure", value=self.measure, known=measures)
        elif self.anomaly:
            yield BadInput("alerts.rules.no_finding", place="anomaly", value=self.anomaly)
        elif self.about not in measure.about:
            yield BadInput("alerts.rules.not_of", place="about", value=self.about, known=", ".join(measure.about))
        yield from _caught(decimal, self.limit, "limit")
        if self.verdict and not known(f"diagnosis.verdict.{self.verdict}"):
            yield BadInput("alerts.rules.no_verdict", place="verdict", value=self.verdict)

    def _faults_of_finding(self) -> Iterator[BadInput]:
        if self.anomaly not in (*Anomaly,):
            yield BadInput("alerts.rules.no_anomaly", place="anomaly", value=self.anomaly, known=", ".join(Anomaly))
        if self.about != "any":
            yield BadInput("alerts.rules.not_of", place="about", value=self.about, known="any")


@dataclass(frozen=True, slots=True)
class _File:
    interval: Decimal
    order_value_spread: Decimal
    base_days: int
    bands: dict[str, Watching]
    rules: dict[str, Rule]


@dataclass(frozen=True)
class ActiveRule:
    """A rule ready to be asked, by name: its times in minutes, its limit exact, its measure found."""

    name: str
    rule: Rule
    wide: float  # standard deviations that the limit must lie off
    spread: float  # variance of order values, relative to their mean squared

    @cached_property
    def window(self) -> Window:
        """Where the measure looks, as late as it has to be."""
        measure, text = MEASURES[self.rule.measure], self.rule.window
        if text == "today":
            return Window(lag=measure.lag)
        if text.endswith("d"):
            return Window(days=minutes(text) // _MINUTES["d"])
        return Window(minutes=minutes(text), lag=measure.lag)

    @cached_property
    def severity(self) -> Severity:
        """How much it matters."""
        return Severity(self.rule.severity)

    @cached_property
    def about(self) -> About:
        """What it is asked of."""
        return About(self.rule.about)

    @cached_property
    def lasting(self) -> int:
        """Minutes the condition must hold before an alert is raised."""
        return minutes(self.rule.lasting)

    @cached_property
    def keep_firing_for(self) -> int:
        """Minutes the condition must be gone before an alert is over."""
        return minutes(self.rule.keep_firing_for)

    @cached_property
    def repeat(self) -> int:
        """Minutes after which an alert nobody handled is told again."""
        return minutes(self.rule.repeat)

    @cached_property
    def escalate_after(self) -> int:
        """Minutes after which an alert nobody handled goes to the next role."""
        return minutes(self.rule.escalate_after)

    @cached_property
    def _limit(self) -> tuple[Fraction, float]:
        exact = Fraction(decimal(self.rule.limit))
        return exact, float(exact)

    @cached_property
    def _spend(self) -> Micros:
        return micros(self.rule.spend)

    def enough(self, sums: Watched) -> bool:
        """Whether enough happened in the window to speak of it; what is not known is not held against it."""
        rule = self.rule
        return (
            (sums.orders is None or sums.orders >= rule.orders)
            and (sums.clicks is None or sums.clicks >= rule.clicks)
            and (sums.impressions is None or sums.impressions >= rule.impressions)
            and (sums.spend is None or sums.spend >= self._spend)
        )

    def holds(self, reading: Reading) -> bool:
        """Whether the figure is beyond the limit, and by more than chance."""
        limit, near = self._limit
        compare = _COMPARE[self.rule.comparison]
        if not compare(reading.over * limit.denominator, limit.numerator * reading.under):
            return False
        if reading.events is None:
            return True
        low, high = reading.between(self.wide)
        return compare(high if self.rule.comparison in ("<", "<=") else low, near)


@dataclass(frozen=True)
class AlertRules:
    """All rules that are on, by name, and of how many earlier days the same hours are remembered."""

    rules: Mapping[str, ActiveRule]
    base_days: int
    written: Mapping[str, Rule] = field(default_factory=dict)  # those switched off too

    @cached_property
    def asked(self) -> tuple[ActiveRule, ...]:
        """The rules that are asked of figures."""
        return tuple(active for active in self.rules.values() if not active.rule.anomaly)

    def of_finding(self, anomaly: str) -> tuple[ActiveRule, ...]:
        """The rules that a finding of this kind is told to."""
        return tuple(active for active in self.rules.values() if active.rule.anomaly == anomaly)

    def windows(self) -> set[Window]:
        """Every window that some rule looks into."""
        return {active.window for active in self.asked}


def alert_rules(thresholds: Thresholds, own: Path | None = None) -> AlertRules:
    """The shipped rules with the owner's file laid over them, and those that the bands make.

    Unknown key, measure, verdict or rule, or a length or limit that cannot be read: BadInput, all of them at once.
    """
    table = tables.read_toml(SHIPPED)
    if own is not None:
        table = _laid_over(table, tables.read_toml(own))
    place = str(own or SHIPPED)
    file = tables.build(_File, table, place)
    written = {**_of_bands(file, thresholds, place), **file.rules}
    raise_together([*_unknown(written, place)])
    if not 0 < file.interval < 1 or file.base_days < 1:
        raise BadInput("alerts.rules.out_of_range", place=place)
    wide, spread = deviations(float(file.interval)), float(file.order_value_spread) ** 2
    on = {name: ActiveRule(name, rule, wide, spread) for name, rule in written.items() if rule.enabled}
    return AlertRules(on, file.base_days, written)


def _unknown(written: Mapping[str, Rule], place: str) -> Iterator[BadInput]:
    for name, rule in written.items():
        for other in rule.inhibited_by:
            if other not in written:
                at = f"{place}: rules.{name}.inhibited_by"
                yield BadInput("alerts.rules.no_rule", place=at, value=other, known=", ".join(written))


def _of_bands(file: _File, thresholds: Thresholds, place: str) -> dict[str, Rule]:
    """The rules that bands make: each fires beyond its band's end nearer to normal, and keeps the milder ones still."""
    found: dict[str, Rule] = {}
    for measure, watching in file.bands.items():
        if measure not in thresholds.bands:
            known_bands = ", ".join(thresholds.bands)
            raise BadInput("alerts.rules.no_bands", place=f"{place}: bands.{measure}", known=known_bands)
        bands = thresholds.bands[measure]
        normal = next((i for i, band in enumerate(bands) if band.severity == "normal"), len(bands))
        below = [(band, "<" if band.below is not None else "<=", band.end) for band in bands[:normal]]
        above = [
            (band, ">=" if before.below is not None else ">", before.end)
            for before, band in zip(bands[normal:], bands[normal + 1 :], strict=False)
        ]
        for side in (below, above[::-1]):  # the worst first
            worse: tuple[str, ...] = ()
            for band, comparison, end in side:
                name = f"{measure}_{band.severity}"
                found[name] = _of_band(measure, watching, band, (comparison, str(end)), worse)
                worse = (*worse, name)
    return found


def _of_band(measure: str, watching: Watching, band: Band, edge: tuple[str, str], worse: tuple[str, ...]) -> Rule:
    told: dict[str, Any] = asdict(watching) | {"inhibited_by": (*watching.inhibited_by, *worse)}
    comparison, limit = edge
    told |= {"measure": measure, "comparison": comparison, "limit": limit}
    return Rule(**told, severity=band.severity, verdict=band.verdict)  # type: ignore[arg-type]


def _laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """The owner's table over the shipped one: values replace, tables are laid over one another."""
    both = {
        name: _laid_over(below[name], value) if isinstance(value, Mapping) and name in below else value
        for name, value in above.items()
    }
    return {**below, **both}


def _caught(read: Callable[[str], object], text: str, place: str) -> Iterator[BadInput]:
    try:
        read(text)
    except BadInput as error:
        error.at(place)
        yield error


RULE_FIELDS = tuple(one.name for one in fields(Rule))
