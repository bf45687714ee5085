"""The dictionary of measures says what the code does: formulas, units, names, and the page that is made of it."""

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qianheng.core.words import known, speaking
from qianheng.facts.schema import SCHEMAS, Kind
from qianheng.measures.metrics import metrics
from qianheng.measures.reports import FIGURES, Figures, figures_of
from qianheng.measures.sums import NAMES, Sums

OF_SUMS = ("payment_roi", "net_roi", "overall_roi", "boosted_roi", "refund_rate_1h", "net_rate_1h", "ctr", "cvr", "cpm")
DOCS = Path(__file__).parents[2] / "docs"

sums = st.builds(Sums, *([st.integers(0, 10**9)] * len(NAMES)))


def test_every_sum_of_facts_and_reports_is_in_the_dictionary() -> None:
    assert {*NAMES, *FIGURES} <= metrics().keys()


@pytest.mark.parametrize("name", list(metrics()))
def test_every_measure_has_a_name_a_meaning_and_a_formula_of_measures(name: str) -> None:
    one = metrics()[name]
    assert known(f"metrics.name.{name}")
    assert known(f"metrics.meaning.{name}")
    assert known(f"metrics.final.{one.final_after_hours}")
    parts = [part.removeprefix("-") for part in (*one.over, *one.under, *one.is_)]
    assert set(parts) <= metrics().keys()
    assert (one.kind == "ratio") == bool(one.over and one.under)


def test_the_facts_that_tell_a_measure_exist() -> None:
    for told in (fact for one in metrics().values() for fact in one.facts):
        kind, _, column = told.partition(".")
        assert not column or column in SCHEMAS[Kind(kind)].names, told


def test_a_measure_is_final_no_earlier_than_what_it_is_made_of() -> None:
    for one in metrics().values():
        parts = [metrics()[part.removeprefix("-")] for part in (*one.over, *one.under, *one.is_)]
        assert one.final_after_hours == max([one.final_after_hours, *(part.final_after_hours for part in parts)])


@given(sums)
def test_the_formulas_give_what_the_sums_give(told: Sums) -> None:
    for name in OF_SUMS:
        assert metrics()[name].of(told) == getattr(told, name), name
    assert metrics()["net_gmv"].of(told) == told.net_gmv


@given(sums)
def test_the_formulas_give_the_settled_figures_of_reports(told: Sums) -> None:
    figures = figures_of(told, closed=True)
    assert metrics()["settled_roi"].of(figures) == told.settled_roi(closed=True)
    assert metrics()["settle_rate_7d"].of(figures) == told.settle_rate_7d(closed=True)
    assert metrics()["base_spend"].of(told) == figures.base_spend
    assert metrics()["settled_gmv_7d"].of(told) == figures.settled_gmv_7d


def test_what_is_unknown_makes_a_measure_unknown_and_nothing_to_divide_by_too() -> None:
    assert metrics()["net_roi"].of(Figures(spend=10)) is None
    assert metrics()["net_roi"].of(Figures(spend=0, net_gmv=5)) is None
    assert metrics()["net_roi"].of(Figures(spend=10, net_gmv=5)) == Fraction(1, 2)


@pytest.mark.parametrize(("language", "name"), [("en", "metrics.md"), ("zh", "metrics.zh.md")])
def test_the_page_is_the_dictionary_as_it_is(language: str, name: str) -> None:
    from qianheng.actions.metrics import page

    with speaking(language):  # type: ignore[arg-type]
        assert (DOCS / name).read_text(encoding="utf-8") == page()
