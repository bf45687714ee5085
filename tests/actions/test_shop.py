"""What an owner says of a shop once: kept whole, refused whole, and completing what a source does not know."""

import json
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from qianheng.actions.shop import OwnShop, completed, own_shop, plans_said, set_plan, set_shop, shop_file
from qianheng.core.errors import BadInput
from qianheng.measures.history import ShopHistory


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QIANHENG_HOME", str(tmp_path))


def test_what_is_said_is_read_back_and_forgotten_by_an_empty_value() -> None:
    set_shop({"margin": "0.42", "name": 'Tea "and" 茶', "opened": "2025-03-01"})
    said = set_shop({"opened": "", "products": "12"})
    assert said == own_shop()
    assert (said.margin, said.name, said.opened, said.products) == (Decimal("0.42"), 'Tea "and" 茶', None, 12)


def test_a_plan_is_set_since_a_day_and_keeps_what_was_before() -> None:
    set_plan("7", {"target": "2.6", "budget_daily": "500"}, "2026-06-01")
    said = set_plan("7", {"target": "2.8"}, "2026-07-01")
    settings = plans_said(said, "Asia/Shanghai")["7"].settings
    assert [(one.target, one.budget_daily) for one in settings] == [
        (Decimal("2.6"), 500_000_000),
        (Decimal("2.8"), 500_000_000),
    ]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"margin": "1.2"}, "margin: 1.2"),
        ({"margin": "much"}, "margin: 'much' is not a number"),
        ({"products": "0"}, "products: 0 is not above zero"),
        ({"commission_rate": "1"}, "commission_rate: 1 is no share"),
        ({"opened": "yesterday"}, "opened: 'yesterday' is not a day"),
        ({"size": "XL", "colour": "red"}, "(?s)size: no such field.*colour: no such field"),
    ],
)
def test_what_cannot_be_is_refused_by_its_name_and_nothing_is_kept(said: dict[str, str], told: str) -> None:
    with pytest.raises(BadInput, match=told):
        set_shop(said)
    assert not shop_file().exists()


def test_what_a_source_knows_goes_before_what_is_said() -> None:
    known = ShopHistory("1", products=8)
    told = completed(known, OwnShop(products=99, margin=Decimal("0.42"), balance=Decimal(12)))
    assert (told.products, told.margin, told.balance) == (8, Fraction(21, 50), 12_000_000)
    assert completed(known, OwnShop(id="2", margin=Decimal("0.42"))) == known


def test_the_command_line_says_and_shows_it(say: Callable[..., str]) -> None:
    assert "Nothing was said" in say("shop", "show")
    say("shop", "set", "margin=0.42")
    told = json.loads(say("shop", "set", "target=2.6", "--plan", "7", "--since", "2026-06-01", "--json"))
    assert told["margin"] == "0.42"
    assert told["plans"]["7"]["settings"][0]["target"] == "2.6"
    assert "0.42" in say("shop", "show")
    assert "expected each field once" in say("shop", "set", "margin")
