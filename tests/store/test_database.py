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
from qianheng.ledger.transfers import platform_accounts
from qianheng.store import ledger
from qianheng.store.database import connect, home, metadata, migrate, newest_version, reading


def test_the_migrations_make_the_tables_that_the_modules_declare(engine: Engine) -> None:
    for path in Path(qianheng.store.__file__).parent.glob("*.py"):
        __import__(f"qianheng.store.{path.stem}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_migrating_again_changes_nothing_and_is_quick(engine: Engine) -> None:
    statements: list[str] = []
    sa.event.listen(engine, "before_cursor_execute", lambda *call: statements.append(call[2]))
    migrate(engine)
    assert len(statements) <= 5


START = """
import sys
from qianheng.ledger.transfers import platform_accounts
from qianheng.store import ledger
from qianheng.store.database import connect, migrate, reading
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
