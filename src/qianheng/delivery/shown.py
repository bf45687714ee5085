"""What a control step showed, as columns; many steps together become facts when somebody asks for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from qianheng.facts.batch import FactBatch, table
from qianheng.facts.opportunities import Bool, Decisions, Opportunities
from qianheng.facts.schema import Kind
from qianheng.prediction.space import Int

Columns = dict[str, npt.NDArray[np.generic]]
IDS_PER_OPPORTUNITY = 8  # an impression's id is its opportunity's id and its place

_WHERE = ("id", "at", "received_at", "plan_id", "placement")
_WHO = ("product_id", "user_id", "audience", "category", "keyword", "room_id", "creative_id")


@dataclass(frozen=True, slots=True)
class Shown:
    """The places won in one step: what each fact about them says, and which were seen, clicked, charged ([m] each)."""

    columns: Columns
    seen: Bool
    clicked: Bool
    charged: Bool


def shown(
    batch: Opportunities,
    decisions: Decisions,
    of_plan: tuple[npt.NDArray[np.int32], Int],
    reaction: tuple[Bool, Bool, Bool],
) -> Shown:
    """Decisions on a batch as they were seen and clicked.

    of_plan: the version of the change log of each decision's plan, and the kind of boost that drove it, [m];
    reaction: seen, clicked and charged, [m].
    """
    row, (version, boost), (seen, clicked, charged) = decisions.row, of_plan, reaction
    keyword = np.full(len(batch), -1, np.int16) if batch.keyword is None else batch.keyword
    columns: Columns = {
        "id": batch.id[row] * IDS_PER_OPPORTUNITY + decisions.slot,
        "at": batch.at[row],
        "plan_id": decisions.plan_id,
        "placement": batch.placement[row],
        "product_id": decisions.product_id,
        "user_id": batch.user_id[row],
        "audience": batch.audience[row],
        "category": batch.category[row],
        "keyword": keyword[row],
        "room_id": decisions.room_id,
        "creative_id": decisions.creative_id,
        "slot": decisions.slot,
        "predicted_gmv": decisions.predicted_gmv,
        "target_version": version,
        "boost": boost,
        "amount": decisions.price,
    }
    return Shown(columns, seen, clicked & seen, charged)


def facts_of(steps: Sequence[Shown]) -> FactBatch:
    """The impression, click and charge facts of some steps, in their order."""
    if not steps:
        return FactBatch()
    columns = {name: np.concatenate([step.columns[name] for step in steps]) for name in steps[0].columns}
    columns |= {"received_at": columns["at"], "impression_id": columns["id"]}
    seen = np.concatenate([step.seen for step in steps])
    clicked = np.concatenate([step.clicked for step in steps])
    charged = np.concatenate([step.charged for step in steps])
    kinds = (
        (Kind.IMPRESSION, seen, (*_WHERE, *_WHO, "slot", "predicted_gmv")),
        (Kind.CLICK, clicked, (*_WHERE, *_WHO, "impression_id")),
        (Kind.CHARGE, charged, (*_WHERE, "impression_id", "boost", "target_version", "amount")),
    )
    return FactBatch(
        {kind: table(kind, {name: columns[name][which] for name in names}) for kind, which, names in kinds}
    )
