"""Accounts as they are kept: nobody who writes to one undoes what another wrote, and a broken file says which it is."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from threading import Thread

import pytest

from qianheng.actions import vendor_accounts
from qianheng.actions.pushing import Push
from qianheng.actions.vendor_accounts import FOLDER, VendorAccount, Writes, account_of, allow, connect, disconnect
from qianheng.core.errors import BadInput
from qianheng.vendors.qianchuan.api import api
from tests.actions.test_syncing import stored
from tests.vendors.vendor_account import Time, client_of, server

__all__ = ["stored"]

KEPT = VendorAccount(
    "shop", "https://vendor", "17", "42", "env:S", "old", "2026-06-20T00:00:00Z", "r", "2026-07-20T00:00:00Z"
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("QIANHENG_HOME", str(tmp_path))
    vendor_accounts._keep(KEPT)
    return tmp_path / FOLDER


@pytest.fixture
def renewed_meanwhile(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for the others finds that they renewed the tokens."""
    alone = vendor_accounts._alone

    @contextmanager
    def waited(name: str) -> Iterator[None]:
        with alone(name):
            vendor_accounts._keep(replace(account_of(name), access="new"))
            yield

    monkeypatch.setattr(vendor_accounts, "_alone", waited)


@pytest.mark.usefixtures("renewed_meanwhile")
def test_allowing_a_write_keeps_the_tokens_that_were_renewed_meanwhile() -> None:
    assert allow("shop", Writes(Decimal(500))).access == "new"
    assert account_of("shop").access == "new"


def test_an_account_is_not_forgotten_while_its_tokens_are_renewed(folder: Path) -> None:
    """Whoever renews them would keep them again."""
    with vendor_accounts._alone("shop"):
        forgetting = Thread(target=disconnect, args=("shop",))
        forgetting.start()
        forgetting.join(0.2)
        assert (folder / "shop.json").exists()
    forgetting.join(10)
    assert not (folder / "shop.json").exists()


@pytest.mark.parametrize("content", ["[]", "3", '{"writes": {"budget_at_most": "much"}}', '{"writes": 5}', "{"])
def test_a_file_that_cannot_be_read_is_named(folder: Path, content: str) -> None:
    (folder / "shop.json").write_text(content)
    with pytest.raises(BadInput, match=r"shop\.json"):
        account_of()


def test_a_name_goes_before_the_advertiser_of_another_account(folder: Path) -> None:
    vendor_accounts._keep(replace(KEPT, name="17", advertiser="18"))
    assert account_of("17").name == "17"
    assert account_of("18").name == "17"


@pytest.mark.parametrize("base", ["https://[::1", "ftp://vendor", "http://vendor", "https://"])
def test_tokens_go_nowhere_unsafe(base: str) -> None:
    wanted = VendorAccount("shop", base, "17", "42", "env:SECRET")
    with pytest.raises(BadInput, match="--at"):
        connect(wanted, "env:CODE", lambda: datetime.now(UTC))


@pytest.mark.usefixtures("stored")
def test_a_plan_is_asked_for_by_the_day_it_is_where_the_account_is() -> None:
    """At six in the morning in Shanghai it is still yesterday by the clock of the machine, which is UTC."""
    time = Time()
    push = Push(None, KEPT, client_of(server(time), time), datetime(2026, 6, 19, 22, tzinfo=UTC))  # type: ignore[arg-type]
    assert str(push.today) == "2026-06-20"
    assert api().timezone == "Asia/Shanghai"


def test_tokens_are_not_told(folder: Path) -> None:
    assert json.loads((folder / "shop.json").read_text())["refresh"] == "r"
    assert "'r'" not in repr(account_of("shop"))
    assert "'r'" not in repr(account_of("shop").tokens)
