"""A policy changes: a new version is put in force, and the shops it touches are told (SPEC 5.6)."""

from __future__ import annotations

import shutil
from datetime import date, datetime
from pathlib import Path

from qianheng.actions.desk import Desk, desk_of, path_of
from qianheng.actions.policies import policies
from qianheng.core.actors import SYSTEM, Act, Actor, demand
from qianheng.core.errors import NotFound, Refused
from qianheng.core.ids import stable_id
from qianheng.core.words import LANGUAGES, speaking
from qianheng.guarantee.policy import Policy, read_policy
from qianheng.guarantee.policy_words import change_in_words
from qianheng.guarantee.shelf import file_name
from qianheng.plans.plan import PlanStatus
from qianheng.store import notices, plans
from qianheng.store.database import home
from qianheng.store.notices import Notice


def put_in_force(path: Path, run: str = "", actor: str = "", now: str = "") -> tuple[Policy, list[int]]:
    """Install the version in a file and announce it in a kept run (as `desk_of` finds it); the shops that were told.

    Where no run is kept nobody is told. Errors as in `desk_of`, `install` and `announce`.
    """
    try:
        path_of(run)
    except NotFound:
        if run:
            raise
        return install(path, SYSTEM, None), []
    with desk_of(run, actor or SYSTEM.name, now) as desk:
        policy = install(path, desk.actor, desk.now.date())
        return policy, announce(desk, policy)


def version_before(policy: Policy) -> Policy | None:
    """The version before this one, if there is any."""
    earlier = [one for one in policies().versions(policy.name) if one.version < policy.version]
    return earlier[-1] if earlier else None


def install(path: Path, actor: Actor, today: date | None) -> Policy:
    """Put the version in a file into the folder of this installation, to be in force from its day on; again: nothing.

    A file that cannot be used, or a version that cannot follow those at hand: BadInput. A new version of a policy that
    would be in force from `today` or earlier: Refused, since days that have begun are judged by what was told before.
    """
    demand(actor, Act.SET_POLICY)
    policy, kept = read_policy(path), policies()
    if policy.name in kept.families and policy in kept.versions(policy.name):
        return policy
    latest = kept.joined_by(policy, str(path))
    if latest is not None and today is not None and policy.effective_from <= today:
        raise Refused("guarantee.policy.too_late", place=str(path), value=policy.effective_from, today=today)
    folder = home() / "policies"
    folder.mkdir(exist_ok=True)
    incoming = folder / f"{file_name(policy)}.incoming"
    shutil.copyfile(path, incoming)
    incoming.replace(folder / file_name(policy))
    return policy


def announce(desk: Desk, policy: Policy) -> list[int]:
    """Tell every shop whose plans are under this policy what its version changes, once; the shops that were told now.

    Who may not set policies: as `demand` refuses.
    """
    demand(desk.actor, Act.SET_POLICY)
    about = f"policy {policy.name}"
    with desk.database.begin() as connection:
        kept = [stored.plan for stored in plans.load_all(connection)]
        shops = sorted(
            {plan.shop_id for plan in kept if plan.policy == policy.name and plan.status is not PlanStatus.DELETED}
        )
        told = {notice.id for notice in notices.notices(connection, subject=about)}
        new = [notice for shop in shops if (notice := _notice(policy, shop, desk.now)).id not in told]
        for notice in new:
            notices.tell(connection, notice)
        if new:
            detail = {"version": policy.version, "shops": len(new)}
            desk.enter(connection, Act.SET_POLICY, about, detail)
    return [notice.shop_id for notice in new if notice.shop_id is not None]


def _notice(policy: Policy, shop_id: int, at: datetime) -> Notice:
    key = stable_id("policy_changed", policy.name, policy.version, shop_id)
    told = {"policy": policy.name, "version": policy.version, "day": policy.effective_from.isoformat()}
    changes = {}
    for spoken in LANGUAGES:
        with speaking(spoken):
            changes[spoken] = change_in_words(version_before(policy), policy)
    return Notice(key, at, shop_id, "policies.changed", f"policy {policy.name}", {**told, "changes": changes})
