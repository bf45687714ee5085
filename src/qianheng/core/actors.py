"""Who acts, in which role, and what each role may do (SPEC 4.2)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from qianheng.core.errors import NotFound, Refused
from qianheng.core.words import say


class Role(StrEnum):
    """What somebody is: four roles in a shop, and two on the platform's side."""

    OWNER = "owner"
    OPERATOR = "operator"
    FINANCE = "finance"
    VIEWER = "viewer"
    REVIEWER = "reviewer"
    SYSTEM = "system"


class Act(StrEnum):
    """What may be done, by those whose role allows it."""

    SEE = "see"
    CHANGE_PLAN = "change_plan"
    DELETE_PLAN = "delete_plan"
    SET_MEMBERS = "set_members"
    FILE_CLAIM = "file_claim"
    DECIDE_CLAIM = "decide_claim"
    MOVE_MONEY = "move_money"
    GRANT_CREDIT = "grant_credit"
    CLOSE_DAY = "close_day"
    CLOSE_MONTH = "close_month"
    SET_POLICY = "set_policy"
    HANDLE_ALERT = "handle_alert"
    SET_CHANNELS = "set_channels"
    DECIDE_PROPOSAL = "decide_proposal"
    SET_AUTOMATION = "set_automation"
    STOP_AUTOMATION = "stop_automation"
    STOP_EVERYWHERE = "stop_everywhere"
    RUN_EXPERIMENT = "run_experiment"


MAY: dict[Act, tuple[Role, ...]] = {
    Act.SEE: tuple(Role),
    Act.CHANGE_PLAN: (Role.OWNER, Role.OPERATOR, Role.SYSTEM),
    Act.DELETE_PLAN: (Role.OWNER, Role.OPERATOR),
    Act.SET_MEMBERS: (Role.OWNER,),
    Act.FILE_CLAIM: (Role.OWNER, Role.FINANCE),
    Act.DECIDE_CLAIM: (Role.REVIEWER,),
    Act.MOVE_MONEY: (Role.OWNER, Role.FINANCE, Role.SYSTEM),
    Act.GRANT_CREDIT: (Role.REVIEWER, Role.SYSTEM),
    Act.CLOSE_DAY: (Role.SYSTEM,),
    Act.CLOSE_MONTH: (Role.OWNER, Role.FINANCE, Role.SYSTEM),
    Act.SET_POLICY: (Role.REVIEWER, Role.SYSTEM),
    Act.HANDLE_ALERT: (Role.OWNER, Role.OPERATOR),
    Act.SET_CHANNELS: (Role.OWNER,),
    Act.DECIDE_PROPOSAL: (Role.OWNER, Role.OPERATOR),
    Act.SET_AUTOMATION: (Role.OWNER,),
    Act.STOP_AUTOMATION: (Role.OWNER, Role.OPERATOR, Role.REVIEWER, Role.SYSTEM),
    Act.STOP_EVERYWHERE: (Role.REVIEWER, Role.SYSTEM),
    Act.RUN_EXPERIMENT: (Role.OWNER, Role.OPERATOR, Role.SYSTEM),
}
"""Who may do what: only owner and operator change plans, only finance and owner file claims, the reviewer decides."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who acts. `shop_id` is the shop of a member; `None` for the platform, which sees every shop."""

    name: str
    role: Role
    shop_id: int | None = None

    def sees(self, shop_id: int | None) -> bool:
        """Whether what belongs to a shop (to the platform if `None`) may be shown to them."""
        return self.shop_id is None or self.shop_id == shop_id


REVIEWER = Actor("reviewer", Role.REVIEWER)
SYSTEM = Actor("system", Role.SYSTEM)
SCENARIO = Actor("scenario", Role.SYSTEM)  # who plays the owners of a simulated market
AUTOMATION = Actor("automation", Role.SYSTEM)  # who carries out what an owner allowed without asking again


def demand(actor: Actor, act: Act, shop_id: int | None = None) -> None:
    """Go on only if `actor` may do this, in that shop.

    A role that may not: Refused, which says why and who may. Another shop's: NotFound, as if there were no such shop.
    """
    if actor.role not in MAY[act]:
        allowed = say("actors.list").join(say(f"actors.role.{role}") for role in MAY[act])
        told = {"name": actor.name, "role": say(f"actors.role.{actor.role}"), "act": say(f"actors.act.{act}")}
        raise Refused("actors.may_not", **told, allowed=allowed)
    if shop_id is not None and not actor.sees(shop_id):
        raise NotFound("actors.no_shop", shop=shop_id)
