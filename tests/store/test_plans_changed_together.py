"""Several people change one plan at once, each in a process of their own: one is first, the others are told."""

import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from sqlalchemy import Engine

from qianheng.plans.plan import Goal, Plan, PlanKind, PlanStatus
from qianheng.store import plans

PLAN = Plan(1, 1, 1, "推商品", PlanKind.PRODUCT, Goal.NET, Decimal("2.4"), 300_000_000, (11,), status=PlanStatus.ACTIVE)
PEOPLE = 4

PERSON = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from qianheng.actions.desk import Desk
from qianheng.actions.planning import Wanted, change_plan
from qianheng.core.actors import Actor, Role
from qianheng.core.errors import Refused
from qianheng.store.database import connect
from qianheng.store.lake import Lake

url, folder, name, begin, version = sys.argv[1:]
now = datetime(2025, 10, 1, 9, tzinfo=UTC)
desk = Desk(connect(url), Lake(Path(folder) / "lake"), Actor(name, Role.OPERATOR, 1), now)
seen = int(version) if version else None
time.sleep(max(float(begin) - time.time(), 0))
try:
    change_plan(desk, Wanted(1, {"name": name}, version=seen))
    print("saved")
except Refused as refusal:
    print(refusal)
"""


def changed_at_once(engine: Engine, folder: Path, version: str) -> list[str]:
    """What each of the people was told."""
    path = os.pathsep.join([str(Path(__file__).parents[2] / "src"), os.environ.get("PYTHONPATH", "")])
    url, begin = engine.url.render_as_string(hide_password=False), str(time.time() + 2.5)
    with engine.begin() as connection:
        plans.create(connection, PLAN)
    people = [
        subprocess.Popen(
            [sys.executable, "-c", PERSON, url.replace("+psycopg", ""), str(folder), f"p{number}", begin, version],
            env={**os.environ, "PYTHONPATH": path},
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(PEOPLE)
    ]
    return [person.communicate(timeout=60)[0].strip() for person in people]


def test_nobody_overwrites_what_they_have_not_seen(engine: Engine, tmp_path: Path) -> None:
    told = changed_at_once(engine, tmp_path, "0")
    assert told.count("saved") == 1
    with engine.begin() as connection:
        (entry,) = plans.log(connection, 1)
        assert plans.load(connection, 1).plan.name == entry.actor
    assert told[int(entry.actor[1:])] == "saved"
    assert sum(f"{entry.actor}: name 推商品 → {entry.actor}" in one for one in told) == PEOPLE - 1
    assert entry.at == datetime(2025, 10, 1, 9, tzinfo=UTC)


def test_who_names_no_version_changes_the_plan_one_after_the_other(engine: Engine, tmp_path: Path) -> None:
    assert changed_at_once(engine, tmp_path, "") == ["saved"] * PEOPLE
    with engine.begin() as connection:
        log = plans.log(connection, 1)
        assert [made.version for made in log] == [1, 2, 3, 4]
        names = [PLAN.name, *(made.actor for made in log)]
        assert [(dict(made.before)["name"], dict(made.after)["name"]) for made in log] == [
            (names[i], names[i + 1]) for i in range(PEOPLE)
        ]
        plans.history(connection, 1)
