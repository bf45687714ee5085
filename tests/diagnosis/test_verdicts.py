"""Verdicts follow the table of thresholds, at its very edges, and the owner can change the table."""

from fractions import Fraction
from pathlib import Path

import pytest

from qianheng.core.errors import BadInput
from qianheng.core.words import known
from qianheng.diagnosis.verdicts import SHIPPED, thresholds, verdicts

EDGES = [
    ("net_roi_to_target", "1.2", "roi_normal", "normal"),
    ("net_roi_to_target", "0.9", "roi_normal", "normal"),
    ("net_roi_to_target", "0.899999", "watch_roi", "watch"),
    ("net_roi_to_target", "0.8", "watch_roi", "watch"),
    ("net_roi_to_target", "0.799999", "lower_target", "act"),
    ("net_roi_to_target", "0.7", "lower_target", "act"),
    ("net_roi_to_target", "0.699999", "check_everything", "urgent"),
    ("refund_rate_1h", "0", "refunds_normal", "normal"),
    ("refund_rate_1h", "0.199999", "refunds_normal", "normal"),
    ("refund_rate_1h", "0.2", "refunds_raised", "act"),
    ("refund_rate_1h", "0.3", "refunds_raised", "act"),
    ("refund_rate_1h", "0.300001", "propose_pause", "urgent"),
    ("spend_to_budget", "0.799999", "spend_low", "act"),
    ("spend_to_budget", "0.8", "spend_normal", "normal"),
    ("spend_to_budget", "1.2", "spend_normal", "normal"),
    ("spend_to_budget", "1.200001", "spend_running_away", "urgent"),
    ("net_roi_to_breakeven", "0.999999", "below_breakeven", "act"),
    ("net_roi_to_breakeven", "1", "above_breakeven", "normal"),
]


@pytest.mark.parametrize(("measure", "value", "verdict", "severity"), EDGES)
def test_each_band_ends_where_the_table_says(measure: str, value: str, verdict: str, severity: str) -> None:
    (judged,) = verdicts({measure: Fraction(value)}, thresholds())
    assert (judged.verdict, judged.severity) == (verdict, severity)


def test_what_is_unknown_has_no_verdict() -> None:
    assert verdicts({"refund_rate_1h": None}, thresholds()) == ()


def test_every_verdict_shipped_can_be_said() -> None:
    bands = [band for bands in thresholds().bands.values() for band in bands]
    assert all(known(f"diagnosis.verdict.{band.verdict}") for band in bands)
    assert all(known(f"diagnosis.severity.{band.severity}") for band in bands)
    assert all(known(f"diagnosis.measure.{measure}") for measure in thresholds().bands)


def test_the_owner_can_change_the_rules(tmp_path: Path) -> None:
    path = tmp_path / "thresholds.toml"
    path.write_text(SHIPPED.read_text(encoding="utf-8").replace('below = "0.2"', 'below = "0.1"'), encoding="utf-8")
    (judged,) = verdicts({"refund_rate_1h": Fraction("0.15")}, thresholds(path))
    assert judged.verdict == "refunds_raised"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('verdict = "watch_roi"', 'verdict = "shrug"'),
        ('below = "0.7"', 'below = "0.95"'),
        ('below = "0.7"', "below = 0.7"),
        ('below = "0.7"', 'below = "low"'),
        ('up_to = "0.3"\n', ""),
        ("[[bands.refund_rate_1h]]", "[[bands.refund_rate]]"),
        ("spend_share_at_least", "share"),
    ],
)
def test_rules_that_make_no_sense_are_refused_by_name(tmp_path: Path, old: str, new: str) -> None:
    path = tmp_path / "thresholds.toml"
    path.write_text(SHIPPED.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(BadInput, match=r"thresholds\.toml"):
        thresholds(path)
