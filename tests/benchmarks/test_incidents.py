"""The exact interval of a rate, and how incidents are summed up."""

import pytest

from benchmarks.incidents import Clean, Outcome, poisson_interval, summary


@pytest.mark.parametrize(
    ("count", "low", "high"), [(0, 0.0, 3.689), (1, 0.0253, 5.572), (5, 1.623, 11.668), (20, 12.217, 30.888)]
)
def test_an_interval_of_a_count_is_the_one_of_the_tables(count: int, low: float, high: float) -> None:
    assert poisson_interval(count, 1.0) == pytest.approx((low, high), abs=2e-3)
    assert poisson_interval(count, 4.0) == pytest.approx((low / 4, high / 4), abs=2e-3)


def test_what_was_not_found_counts_and_what_was_not_told_says_nothing_of_causes() -> None:
    def outcome(hours: float | None, first: str | None) -> Outcome:
        return Outcome("wear", 1, "stock_out", "strong", False, hours, hours, first, first == "stock_out")

    outcomes = [outcome(4.0, "stock_out"), outcome(8.0, "wrong_price"), outcome(None, None)]
    found = summary([Clean("wear", 1, 5.0, ("10-08 22 wrong_price 12",))], outcomes)
    told = found["incidents"]
    assert isinstance(told, dict)
    assert told["all"]["found"] == pytest.approx(2 / 3)
    assert told["all"]["right_cause_first"] == 0.5
    assert told["stock_out strong"]["hours_median"] == 6
    assert found["told_first"] == {
        "stock_out as nothing": 1,
        "stock_out as stock_out": 1,
        "stock_out as wrong_price": 1,
    }
    clean = found["clean"]
    assert isinstance(clean, dict)
    assert clean["per_shop_week"] == 0.2
