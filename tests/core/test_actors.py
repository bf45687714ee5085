"""Who may do what, and how a refusal reads."""

import pytest

from qianheng.core.actors import MAY, REVIEWER, SYSTEM, Act, Actor, Role, demand
from qianheng.core.errors import NotFound, Refused
from qianheng.core.words import Language, known, speak

OWN = 1


@pytest.mark.parametrize(
    ("act", "roles"),
    [
        (Act.CHANGE_PLAN, {Role.OWNER, Role.OPERATOR, Role.SYSTEM}),
        (Act.DELETE_PLAN, {Role.OWNER, Role.OPERATOR}),
        (Act.FILE_CLAIM, {Role.OWNER, Role.FINANCE}),
        (Act.DECIDE_CLAIM, {Role.REVIEWER}),
        (Act.SET_MEMBERS, {Role.OWNER}),
        (Act.SEE, set(Role)),
    ],
)
def test_a_role_may_do_exactly_what_the_table_says(act: Act, roles: set[Role]) -> None:
    for role in Role:
        actor = Actor("somebody", role, OWN)
        if role in roles:
            demand(actor, act, OWN)
            continue
        with pytest.raises(Refused):
            demand(actor, act, OWN)


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", "li (viewer) may not file refund claims; only these may: owner, finance"),
        ("zh", "li（只读成员）无权提交退费申请；有此权限的角色：店主、财务"),
    ],
)
def test_a_refusal_says_who_what_and_who_may(language: Language, told: str) -> None:
    speak(language)
    with pytest.raises(Refused) as refusal:
        demand(Actor("li", Role.VIEWER, OWN), Act.FILE_CLAIM)
    assert str(refusal.value) == told
    speak("en")


def test_a_member_meets_no_other_shop_and_the_platform_meets_all() -> None:
    with pytest.raises(NotFound):
        demand(Actor("li", Role.OWNER, OWN), Act.SEE, 2)
    for platform in (REVIEWER, SYSTEM):
        demand(platform, Act.SEE, 2)


def test_every_role_and_act_has_its_words_and_somebody_who_may() -> None:
    keys = [f"actors.role.{role}" for role in Role] + [f"actors.act.{act}" for act in Act]
    assert [key for key in keys if not known(key)] == []
    assert MAY.keys() == set(Act)
    assert all(MAY.values())
