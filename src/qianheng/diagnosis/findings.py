"""Findings: what has gone wrong and since when, by the shop's own facts alone (SPEC 7.7, 11)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from qianheng.diagnosis.evidence import Evidence, Severity
from qianheng.measures.history import Subject


class Anomaly(StrEnum):
    """What can be wrong beyond figures that miss their targets."""

    REFUND_WAVE = "refund_wave"
    TIRED_CREATIVE = "tired_creative"
    RIVAL_ENTERED = "rival_entered"
    WRONG_PRICE = "wrong_price"
    TRACKING_BROKEN = "tracking_broken"
    STOCK_OUT = "stock_out"
    OFF_AIR_SPEND = "off_air_spend"
    LEARNING_FAILED = "learning_failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong with a subject. `since`: the hour (of daily reports: the day) it most likely began with;
    `seen_at`: when the facts first said so, and have said so ever since. `likelihood`: how likely this cause is among
    those that could have moved the same figures, from 0 to 1.
    """

    anomaly: Anomaly
    subject: Subject
    since: datetime
    seen_at: datetime
    severity: Severity
    evidence: tuple[Evidence, ...]
    likelihood: float

    @property
    def key(self) -> tuple[str, ...]:
        """What is wrong with what: the same as long as it lasts."""
        return (self.anomaly, self.subject.about, self.subject.id, self.subject.within)
