"""What becomes of a proposal: every step since it was made, and where it stands, folded from them (SPEC 7.9).

open ─ accept → accepted ─ carry_out → carried_out ─ measure → measured
  │ └ schedule → scheduled ─ carry_out ↗     └ roll_back → rolled_back ↙ roll_back
  ├ reject → rejected ↙ reject, from accepted and scheduled too
  ├ expire → expired ↙ expire, from accepted and scheduled too
  └ hold → open: automation left it to a person, and said why
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from qianheng.core.actors import Actor, Role
from qianheng.core.errors import Refused
from qianheng.core.ids import stable_id
from qianheng.core.words import say
from qianheng.plans.plan import Value
from qianheng.strategy.followup import FollowUp
from qianheng.strategy.proposal import Proposal


class Status(StrEnum):
    """Where a proposal stands."""

    OPEN = "open"
    ACCEPTED = "accepted"
    SCHEDULED = "scheduled"
    CARRIED_OUT = "carried_out"
    MEASURED = "measured"
    ROLLED_BACK = "rolled_back"
    REJECTED = "rejected"
    EXPIRED = "expired"


class Step(StrEnum):
    """What is done to a proposal."""

    ACCEPT = "accept"
    SCHEDULE = "schedule"
    REJECT = "reject"
    HOLD = "hold"
    CARRY_OUT = "carry_out"
    EXPIRE = "expire"
    ROLL_BACK = "roll_back"
    MEASURE = "measure"


NEXT: dict[Step, dict[Status, Status]] = {
    Step.ACCEPT: {Status.OPEN: Status.ACCEPTED},
    Step.SCHEDULE: {Status.OPEN: Status.SCHEDULED},
    Step.REJECT: dict.fromkeys((Status.OPEN, Status.ACCEPTED, Status.SCHEDULED), Status.REJECTED),
    Step.HOLD: {Status.OPEN: Status.OPEN, Status.SCHEDULED: Status.SCHEDULED},
    Step.CARRY_OUT: dict.fromkeys((Status.ACCEPTED, Status.SCHEDULED), Status.CARRIED_OUT),
    Step.EXPIRE: dict.fromkeys((Status.OPEN, Status.ACCEPTED, Status.SCHEDULED), Status.EXPIRED),
    Step.ROLL_BACK: dict.fromkeys((Status.CARRIED_OUT, Status.MEASURED), Status.ROLLED_BACK),
    Step.MEASURE: {Status.CARRIED_OUT: Status.MEASURED},
}


@dataclass(frozen=True, slots=True)
class Move:
    """A step made: by whom, when, why. `after`: the values taken up (accept, schedule), as edited or as proposed;
    `due`: when they are to be carried out (schedule); `version`: of the plan's change log that carried them out or
    back; `found`: what they were measured to have done.
    """

    proposal_id: int
    step: Step
    at: datetime
    actor: str
    role: Role
    reason: str = ""
    after: Mapping[str, Value] = field(default_factory=dict)
    due: datetime | None = None
    version: int | None = None
    found: FollowUp | None = None

    @classmethod
    def by(cls, actor: Actor, proposal_id: int, step: Step, at: datetime) -> Move:
        """A step that somebody makes."""
        return cls(proposal_id, step, at, actor.name, actor.role)

    @property
    def id(self) -> int:
        """The same for the same step told again; only a hold may be made more than once."""
        return stable_id("proposal move", self.proposal_id, self.step, self.at if self.step is Step.HOLD else "")


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a proposal stands: `number` is its short id, `shop_id` whose it is."""

    number: int
    shop_id: str
    proposal: Proposal
    status: Status = Status.OPEN
    moves: tuple[Move, ...] = ()

    @property
    def name(self) -> str:
        """How people call it."""
        return f"p{self.number}"

    @property
    def weight(self) -> tuple[bool, int, int]:
        """What proposals are sorted by: the most profitable first, those of unknown profit last."""
        gain = self.proposal.gain
        return gain is None, -(gain or 0), self.number

    @property
    def after(self) -> Mapping[str, Value]:
        """The values taken up, as edited; until then as proposed."""
        taken = [move.after for move in self.moves if move.step in (Step.ACCEPT, Step.SCHEDULE)]
        return taken[-1] if taken else self.proposal.after

    @property
    def edited(self) -> bool:
        """Whether other values were taken up than those proposed."""
        return {**self.after} != {**self.proposal.after}

    @property
    def due(self) -> datetime | None:
        """When it is to be carried out, if it is scheduled."""
        return next((move.due for move in self.moves if move.step is Step.SCHEDULE), None)

    def made(self, step: Step) -> Move | None:
        """The last time a step was made; `None` if it was not."""
        return next((move for move in reversed(self.moves) if move.step is step), None)

    @property
    def found(self) -> FollowUp | None:
        """What it was measured to have done."""
        measured = self.made(Step.MEASURE)
        return measured.found if measured else None

    def having(self, move: Move) -> Standing:
        """The same after one more step. One that does not follow: Refused."""
        if self.status not in NEXT[move.step]:
            status, step = (
                say(f"proposals.{kind}.{one}") for kind, one in (("status", self.status), ("step", move.step))
            )
            raise Refused("proposals.no_such_step", place=self.name, status=status, step=step)
        return replace(self, status=NEXT[move.step][self.status], moves=(*self.moves, move))


def standing(number: int, shop_id: str, proposal: Proposal, moves: Iterable[Move]) -> Standing:
    """Where a proposal stands after its moves, oldest first."""
    found = Standing(number, shop_id, proposal)
    for move in moves:
        found = found.having(move)
    return found
