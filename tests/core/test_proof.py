"""A tree of amounts: it adds up or says so, and showing less of it loses nothing."""

import json
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qianheng.core.errors import Damaged
from qianheng.core.proof import Part, checked, limited, money, written

facts = st.builds(
    lambda amount, factor, kind, key: Part(kind, amount, {"id": key}, factor, f"{kind} {key}"),
    st.integers(-(10**9), 10**9),
    st.sampled_from([1, -1, 0, Fraction(5, 12)]),
    st.sampled_from(["charge", "order"]),
    st.integers(0, 99),
)


def holding(parts: list[Part]) -> Part:
    return Part("sum", sum((part.counts for part in parts), Fraction(0)), below=lambda: parts)


trees = st.recursive(st.lists(facts, max_size=5).map(holding), lambda below: st.lists(below, max_size=4).map(holding))


@given(trees, st.integers(1, 3))
def test_a_tree_with_fewer_parts_shown_still_adds_up_to_the_same(tree: Part, most: int) -> None:
    shown = list(checked(limited(tree, most)))
    assert shown[0].amount == tree.amount
    assert all(len([one for one in part.below() if one.kind != "rest"]) <= 2 * 3 * most for part in shown)
    counted = sum(one.told["count"] for one in shown if one.kind == "rest")
    assert counted + len([one for one in shown if one.kind != "rest"]) <= len(list(checked(tree)))


@given(trees)
def test_a_tree_is_written_as_json_with_every_part(tree: Part) -> None:
    def size(node: dict) -> int:  # type: ignore[type-arg]
        return 1 + sum(map(size, node.get("parts", ())))

    assert size(json.loads("".join(written(tree)))) == len(list(checked(tree)))


def test_parts_that_do_not_add_up_are_told() -> None:
    wrong = Part("spend", 3, below=lambda: [Part("charge", 2, fact="charge 1")])
    with pytest.raises(Damaged, match=r"spend: the parts come to 0.000002 yuan and not to 0.000003"):
        list(checked(wrong))


def test_an_amount_that_no_decimal_holds_is_told_exactly_beside_its_rounding() -> None:
    told = json.loads("".join(written(Part("expected_spend", Fraction(400_000_000, 3), fact="x"))))
    assert (told["amount"], told["exact"]) == ("133.333333", "400/3")
    assert money(1_500_000) == "1.50"
