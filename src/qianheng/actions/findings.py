"""What has gone wrong with a shop, by the owner's rules or those shipped."""

from __future__ import annotations

from qianheng.actions.histories import Asked
from qianheng.diagnosis.causes import Rules, finding_rules
from qianheng.store.database import own_file

FILE = "findings.toml"


def rules_kept() -> Rules:
    """The rules in the home folder, or those shipped. What they may not say: BadInput, all faults at once."""
    return finding_rules(own_file(FILE))


def to_look_at(rules: Rules, shop_id: str = "") -> Asked:
    """How much of the past findings need: the days that are usual, the window, and as long again to have been well."""
    days = rules.watch.base_days + 2 * rules.watch.window_days + 1
    return Asked(shop_id, max(days, rules.learning.until_days + 1), days)
