import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine

import qianheng.store
from qianheng.core.errors import BadInput, Damaged
from qianheng.ledger.credits import Use
from qianheng.ledger.transfers import platform_accounts
from qianheng.store import grants, ledger
from qianheng.store.database import _upgrade, connect, home, metadata, migrate, newest_version, reading


def test_the_migrations_make_the_tables_that_the_modules_declare(engine: Engine) -> None:
    for path in Path(qianheng.store.__file__).parent.glob("*.py"):
        __import__(f"qianheng.store.{path.stem}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_credit_from_before_grants_expired_apart_gets_the_grants_it_would_have_now(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path / 'old.db'}")
    cash, credit, revenue = 1, 2, 3
    accounts = [(cash, "cash", 0, 0, 0), (credit, "credit", 50, 10, 0), (revenue, "revenue", 30, 0, 10)]
    entries = [
        (11, revenue, credit, 80, 1_000_000, "posted", None),
        (12, credit, revenue, 50, 2_000_000, "pending", None),
        (13, credit, revenue, 30, 3_000_000, "posted", 12),
        (14, credit, revenue, 10, 4_000_000, "pending", None),
    ]
    with engine.begin() as connection:
        _upgrade(connection, "0004")
        columns = "id, kind, posted, reserved, incoming, owner, may_be_negative"
        for row in accounts:
            connection.exec_driver_sql(f"INSERT INTO account ({columns}) VALUES (?, ?, ?, ?, ?, 1, 0)", row)
        columns = "id, debit, credit, amount, at, state, pending_id, reason, reference"
        for entry in entries:
            connection.exec_driver_sql(f"INSERT INTO transfer ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, '', 0)", entry)
    migrate(engine)
    with reading(engine) as connection:
        (grant,) = grants.all_grants(connection)
        assert (grant.id, grant.amount, grant.available, grant.source) == (11, 80, 40, revenue)
        assert grants.uses_of(connection, [12, 13, 14]) == {12: (Use(11, 50),), 13: (Use(11, 30),), 14: (Use(11, 10),)}
    engine.dispose()


def test_migrating_again_changes_nothing_and_is_quick(engine: Engine) -> None:
    statements: list[str] = []
    sa.event.listen(engine, "before_cursor_execute", lambda *call: statements.append(call[2]))
    migrate(engine)
    assert len(statements) <= 5


START = """
import sys
from qianheng.ledger.transfers import platform_accounts
from qianheng.ledger.credits import Use
from qianheng.store import grants, ledger
from qianheng.store.database import _upgrade, connect, migrate, reading
engine = connect(sys.argv[1])
migrate(engine)
with reading(engine) as connection:
    print(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar())
"""


def test_processes_that_start_at_once_on_a_new_database_all_find_it_ready(tmp_path: Path) -> None:
    command = [sys.executable, "-c", START, f"sqlite:///{tmp_path / 'new' / 'qianheng.db'}"]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert {process.communicate()[0].strip() for process in processes} == {newest_version()}


def test_a_database_of_a_newer_release_is_left_alone(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Damaged, match="9999"):
        migrate(engine)


@pytest.mark.parametrize("url", ["mysql://user:secret@host/name", "nonsense", "sqlite", ""])
def test_another_kind_of_database_is_refused_without_telling_the_password(url: str) -> None:
    with pytest.raises(BadInput) as refusal:
        connect(url)
    assert "secret" not in str(refusal.value)


def test_state_lives_where_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QIANHENG_HOME", str(tmp_path / "state"))
    assert home() == tmp_path / "state"
    assert home().is_dir()
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("QIANHENG_HOME", str(tmp_path / "file" / "below"))
    with pytest.raises(BadInput, match="QIANHENG_HOME"):
        home()


def test_a_reader_sees_one_picture_while_another_writes(engine: Engine) -> None:
    with reading(engine) as reader:
        assert reader.scalar(sa.select(sa.func.count()).select_from(ledger.ACCOUNT)) == 0
        with engine.begin() as writer:
            ledger.open_accounts(writer, platform_accounts())
        assert reader.scalar(sa.select(sa.func.count()).select_from(ledger.ACCOUNT)) == 0


def test_a_file_that_is_no_database_is_told_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "qianheng.db"
    file.write_bytes(b"junk" * 2000)
    with pytest.raises(Damaged, match=r"qianheng\.db"):
        migrate(connect(f"sqlite:///{file}"))
    assert file.read_bytes() == b"junk" * 2000
