"""Rules are data: shipped, derived from the bands, overridden by the owner, and refused with every fault at once."""

from pathlib import Path

import pytest

from qianheng.core.errors import BadInput
from qianheng.core.tables import build
from qianheng.core.words import known
from qianheng.diagnosis.alert_measures import MEASURES, Reading
from qianheng.diagnosis.causes import finding_rules
from qianheng.diagnosis.findings import Anomaly
from qianheng.diagnosis.playbook import playbooks
from qianheng.diagnosis.rules import ActiveRule, Rule, alert_rules
from qianheng.diagnosis.verdicts import thresholds
from qianheng.measures.windows import Watched

SHIPPED = alert_rules(thresholds())
REST = "comparison = '>='\nlimit = '0.5'\nwindow = '3d'\nseverity = 'act'"


def own(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "alerts.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_band_of_the_specification_that_is_not_normal_is_a_rule() -> None:
    bands = thresholds().bands
    for measure, told in bands.items():
        for band in told:
            if band.severity != "normal":
                made = SHIPPED.written[f"{measure}_{band.severity}"]
                assert (made.measure, made.verdict, made.severity) == (measure, band.verdict, band.severity)


@pytest.mark.parametrize(
    ("rule", "comparison", "limit", "worse"),
    [
        ("net_roi_to_target_urgent", "<", "0.7", ()),
        ("net_roi_to_target_act", "<", "0.8", ("net_roi_to_target_urgent",)),
        ("net_roi_to_target_watch", "<", "0.9", ("net_roi_to_target_urgent", "net_roi_to_target_act")),
        ("refund_rate_1h_act", ">=", "0.2", ("refund_rate_1h_urgent",)),
        ("refund_rate_1h_urgent", ">", "0.3", ()),
        ("spend_to_budget_act", "<", "0.8", ()),
        ("spend_to_budget_urgent", ">", "1.2", ()),
    ],
)
def test_a_band_fires_beyond_its_end_nearer_to_normal(
    rule: str, comparison: str, limit: str, worse: tuple[str, ...]
) -> None:
    made = SHIPPED.written[rule]
    assert (made.comparison, made.limit) == (comparison, limit)
    assert made.inhibited_by[len(made.inhibited_by) - len(worse) :] == worse


def test_every_rule_and_measure_has_its_words() -> None:
    for name, rule in SHIPPED.written.items():
        assert known(f"alerts.rule.{name}") or known(f"findings.anomaly.{rule.anomaly}")
        told = (f"alerts.advice.{name}", f"findings.advice.{rule.anomaly}")
        assert rule.verdict or any(map(known, told))
    for name, measure in MEASURES.items():
        assert known(f"alerts.measure.{name}")
        assert measure.read.__doc__


def test_each_finding_is_a_rule_as_grave_as_it_is_and_opens_a_playbook_that_there_is() -> None:
    of_anomaly = {rule.anomaly: rule for rule in SHIPPED.written.values() if rule.anomaly}
    assert set(of_anomaly) == set(Anomaly)
    assert all(of_anomaly[cause.anomaly].severity == cause.severity for cause in finding_rules().causes)
    opened = {rule.playbook for rule in SHIPPED.written.values() if rule.playbook}
    assert opened <= set(playbooks(Path("nowhere")))


def test_the_owner_changes_a_field_switches_off_and_adds(tmp_path: Path) -> None:
    path = own(
        tmp_path,
        """
        [rules.low_balance]
        limit = "5"
        [rules.gmv_fell]
        enabled = false
        [rules.mine]
        measure = "refund_rate_1h"
        about = "shop"
        comparison = ">"
        limit = "0.25"
        window = "today"
        severity = "watch"
        en = "The shop is refunded"
        zh = "全店退款"
        """,
    )
    rules = alert_rules(thresholds(), path)
    assert rules.written["low_balance"].limit == "5"
    assert rules.written["low_balance"].severity == "act"
    assert "gmv_fell" not in rules.rules
    assert rules.rules["mine"].window.lag == 60


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[rules.low_balance]\nlimits = '5'", "limits"),
        ("[rules.low_balance]\nlimit = 'low'", "limit"),
        ("[rules.low_balance]\nlasting = '5 minutes'", "5 minutes"),
        ("[rules.low_balance]\nmeasure = 'eval'", "balance_days"),
        ("[rules.low_balance]\nabout = 'creative'", "creative"),
        ("[rules.low_balance]\nverdict = 'panic'", "panic"),
        ("[rules.low_balance]\ninhibited_by = ['nobody']", "nobody"),
        ("[rules.new]\nmeasure = 'decay'", "about"),
        ("[rules.decay]\nmeasure = 'finding'\nanomaly = 'flood'\nabout = 'any'\n" + REST, "refund_wave"),
        ("[rules.decay]\nmeasure = 'finding'\nanomaly = 'stock_out'\nabout = 'plan'\n" + REST, "any"),
        ("[rules.decay]\nmeasure = 'decay'\nanomaly = 'stock_out'\nabout = 'plan'\n" + REST, "stock_out"),
        ("[rules.decay]\nmeasure = 'decay'\nabout = 'any'\n" + REST, "any"),
        ("[bands.weather]\nabout = 'plan'\nwindow = '1h'", "weather"),
        ("interval = 2", "interval"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(BadInput) as refused:
        alert_rules(thresholds(), own(tmp_path, text))
    assert says in str(refused.value)
    assert "alerts.toml" in str(refused.value)


def test_all_faults_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    path = own(tmp_path, "[rules.low_balance]\nlimit = 'low'\nlasting = 'x'\n[rules.decay]\nwhat = 1")
    with pytest.raises(BadInput) as refused:
        alert_rules(thresholds(), path)
    assert all(part in str(refused.value) for part in ("limit", "lasting", "what"))


def active(comparison: str, limit: str) -> ActiveRule:
    asked = {"about": "plan", "window": "1h", "measure": "ctr_to_same_hour", "severity": "act", "clicks": 3}
    rule = build(Rule, {**asked, "comparison": comparison, "limit": limit}, "test")
    return ActiveRule("rule", rule, 1.645, 1.0)


@pytest.mark.parametrize(
    ("events", "at_one", "holds"),
    [
        (1, 3.0, False),  # a third of what is usual, on three clicks
        (10, 30.0, True),
        (100, 300.0, True),
        (0, 3.0, False),  # nothing at all, where three were to be expected
        (0, 12.0, True),
        (21, 30.0, False),  # at the limit
        (2000, 3000.0, True),
    ],
)
def test_a_limit_must_lie_outside_of_what_chance_does(events: int, at_one: float, holds: bool) -> None:
    reading = Reading(events, round(at_one), events, at_one)
    assert active("<", "0.7").holds(reading) is holds


def test_an_exact_figure_is_compared_exactly() -> None:
    third = Reading(1, 5)
    assert not active("<", "0.2").holds(third)
    assert active("<=", "0.2").holds(third)
    assert active(">=", "0.2").holds(third)
    assert not active(">", "0.2").holds(third)


def test_too_little_is_not_spoken_of_but_what_is_not_known_does_not_count_against_it() -> None:
    assert not active("<", "0.7").enough(Watched(clicks=2))
    assert active("<", "0.7").enough(Watched(clicks=3))
    assert active("<", "0.7").enough(Watched(clicks=None))
