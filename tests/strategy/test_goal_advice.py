"""The table of goals row by row with its limits, the quick rule beside it, and what is said where they disagree."""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from qianheng.core.errors import BadInput
from qianheng.strategy.goals import advise_goal, chosen
from qianheng.strategy.rules import Class, GoalRules, Row, advice_rules
from tests.strategy.histories import NOW, history, yuan

RULES: GoalRules = advice_rules().goal


def shop(
    products: int | None = 20, order_value: int = 100, refunds: int = 15, spend: int = 1000, age: int | None = 60
) -> dict[str, Any]:
    """A shop's figures: refunds in percent of GMV, spend a day in yuan, the account's age in days."""
    told = yuan(spend=spend, gmv=100 * order_value, orders=100, refunded_7d=refunds * order_value)
    opened = None if age is None else NOW.date() - timedelta(days=age)
    return {"told": told, "products": products, "opened": opened}


def speaks_for(**differing: Any) -> dict[str, str | None]:
    return {row.evidence.name: row.speaks_for for row in advise_goal(history(**shop(**differing)), RULES).rows}


@pytest.mark.parametrize(
    ("row", "field", "value", "goal"),
    [
        ("products", "products", 9, "net"),
        ("products", "products", 10, "payment"),
        ("products", "products", 50, "payment"),
        ("products", "products", 51, "payment"),
        ("order_value", "order_value", 49, "payment"),
        ("order_value", "order_value", 50, "net"),
        ("order_value", "order_value", 200, "net"),
        ("order_value", "order_value", 201, "net"),
        ("refund_rate", "refunds", 9, "payment"),
        ("refund_rate", "refunds", 10, "net"),
        ("refund_rate", "refunds", 25, "net"),
        ("refund_rate", "refunds", 26, "net"),
        ("spend_daily", "spend", 499, "payment"),
        ("spend_daily", "spend", 500, "net"),
        ("spend_daily", "spend", 5000, "net"),
        ("spend_daily", "spend", 5001, "net"),
        ("account_age", "age", 29, "payment"),
        ("account_age", "age", 30, "net"),
        ("account_age", "age", 90, "net"),
        ("account_age", "age", 91, "net"),
    ],
)
def test_each_row_of_the_table_has_exactly_its_limits(row: str, field: str, value: int, goal: str) -> None:
    assert speaks_for(**{field: value})[row] == goal


@pytest.mark.parametrize(
    ("payment", "net", "choice"),
    [
        (5, 0, "payment"),
        (4, 1, "payment"),
        (3, 2, "both"),
        (2, 3, "both"),
        (1, 4, "net"),
        (2, 2, "both"),
        (0, 1, "both"),
        (0, 2, "net"),
        (0, 0, None),
    ],
)
def test_the_majority_decides_and_a_majority_of_one_runs_both(payment: int, net: int, choice: str | None) -> None:
    assert chosen({"payment": payment, "net": net}, RULES.run_both_at) == choice


def test_a_row_that_is_not_known_casts_no_vote_and_is_named() -> None:
    advice = advise_goal(history(**shop(products=None, age=None)), RULES)
    assert advice.missing == ("products", "account_age")
    assert sum(advice.votes.values()) == 3


@pytest.mark.parametrize(
    ("differing", "outside"),
    [
        ({}, []),
        ({"order_value": 49}, ["order_value"]),
        ({"order_value": 2000}, []),
        ({"order_value": 2001}, ["order_value"]),
        ({"spend": 499}, ["spend_daily"]),
        ({"products": 9}, ["products"]),
    ],
)
def test_outside_the_range_it_was_tried_in_the_answer_says_so(differing: dict[str, int], outside: list[str]) -> None:
    assert [one.name for one in advise_goal(history(**shop(**differing)), RULES).outside] == outside


@pytest.mark.parametrize(
    ("products", "order_value", "refunds", "quick"),
    [(9, 49, 9, "payment"), (31, 201, 26, "net"), (30, 201, 26, "both"), (9, 50, 9, "both"), (None, 49, 9, None)],
)
def test_the_quick_rule_needs_all_of_its_figures(
    products: int | None, order_value: int, refunds: int, quick: str | None
) -> None:
    assert advise_goal(history(**shop(products, order_value, refunds)), RULES).quick == quick


def test_contradictions_of_the_sources_are_named() -> None:
    few = advise_goal(history(**shop(9, 49, 9, spend=400, age=20)), RULES)
    assert few.choice == few.quick == "payment"
    assert few.contradictions == ("few_products",)
    many = advise_goal(history(**shop(31, 201, 9, spend=400, age=20)), RULES)
    assert (many.choice, many.quick) == ("payment", "both")
    assert many.contradictions == ("quick_rule",)


def test_refunds_of_the_first_hour_stand_in_where_no_later_ones_are_known() -> None:
    told = yuan(spend=1000, gmv=100, orders=1, refunded_1h=9)
    rows = advise_goal(history(told), RULES).rows
    assert next(row.evidence.value for row in rows if row.evidence.name == "refund_rate") == Fraction(9, 100)


def test_signs_beside_the_table_say_what_they_support() -> None:
    signs = advise_goal(history(**shop(), margin=Fraction(1, 2), days=13), RULES).signs
    assert {(one.evidence.name, one.speaks_for) for one in signs} == {("margin", "net"), ("days_known", "payment")}


def test_classes_that_leave_a_gap_are_refused() -> None:
    closed = (Class("net", Decimal(10)), Class("payment", Decimal(5)), Class("net"))
    with pytest.raises(BadInput):
        Row("products", "count", closed)
    with pytest.raises(BadInput):
        Row("products", "count", closed[:1])


def test_a_shop_of_which_nothing_is_known_gets_no_goal() -> None:
    advice = advise_goal(history(yuan(), opened=None), RULES)
    assert advice.choice is None
    assert len(advice.missing) == 5
