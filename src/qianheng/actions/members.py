"""Who works in a shop: the owner lets people in, gives them a role, and lets them go (SPEC 4.2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from qianheng.actions.desk import Desk
from qianheng.core.actors import AUTOMATION, REVIEWER, SCENARIO, SYSTEM, Act, Actor, Role, demand
from qianheng.core.errors import BadInput, NotFound, Refused
from qianheng.store import members
from qianheng.store.database import reading

OF_SHOP = (Role.OWNER, Role.OPERATOR, Role.FINANCE, Role.VIEWER)


def founders(owners: Mapping[int, str]) -> list[Actor]:
    """Who works on a fresh run: the owner of each shop, by its id and a name if it has one, and the platform's reviewer
    and system.
    """
    made_up = ["owner", *(f"owner-{shop_id}" for shop_id in [*owners][1:])]
    named = zip(owners.items(), made_up, strict=True)
    return [*(Actor(name or other, Role.OWNER, shop_id) for (shop_id, name), other in named), REVIEWER, SYSTEM]


def list_members(desk: Desk) -> list[Actor]:
    """The members of the actor's shop, or everybody for the platform."""
    with reading(desk.database) as connection:
        return [member for member in members.members(connection).values() if desk.actor.sees(member.shop_id)]


def add_member(desk: Desk, name: str, role: str) -> Actor:
    """Let somebody into the actor's shop, or give a member another role.

    Not an owner: Refused. A name that is another's, or a role no shop has: BadInput. The last owner stays one: Refused.
    """
    demand(desk.actor, Act.SET_MEMBERS)
    if not name.strip() or role not in OF_SHOP:
        raise BadInput("desk.member.cannot_be", value=name, role=role, known=", ".join(OF_SHOP))
    member = Actor(name.strip(), Role(role), desk.actor.shop_id)
    with desk.database.begin() as connection:
        known_members = members.members(connection)
        before = known_members.get(member.name, member)
        if before.shop_id != member.shop_id or member.name in (SCENARIO.name, AUTOMATION.name):
            raise BadInput("desk.member.taken", value=member.name)
        if member.role is not Role.OWNER:
            _keep_an_owner(known_members.values(), before)
        members.add(connection, member, desk.now)
        desk.enter(connection, Act.SET_MEMBERS, f"member {member.name}", {"role": role})
    return member


def remove_member(desk: Desk, name: str) -> None:
    """Let a member of the actor's shop go. Nobody of that name in it: NotFound; the last owner: Refused."""
    demand(desk.actor, Act.SET_MEMBERS)
    with desk.database.begin() as connection:
        known = members.members(connection)
        leaving = known.get(name)
        if leaving is None or leaving.shop_id != desk.actor.shop_id:
            raise NotFound("desk.nobody", value=name)
        _keep_an_owner(known.values(), leaving)
        members.remove(connection, name, desk.now)
        desk.enter(connection, Act.SET_MEMBERS, f"member {name}", {"role": None})


def _keep_an_owner(known: Iterable[Actor], leaving: Actor) -> None:
    owners = [one for one in known if one.role is Role.OWNER and one.shop_id == leaving.shop_id]
    if owners == [leaving]:
        raise Refused("desk.member.last_owner", name=leaving.name)
