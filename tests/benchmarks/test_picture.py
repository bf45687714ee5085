"""Pictures are well-formed SVG that shows every value inside its frame."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.picture import WIDTH, Axis, Curve, Dot, curves, dots

SVG = "{http://www.w3.org/2000/svg}"
numbers = st.floats(-1e9, 1e9).filter(lambda number: number == 0 or abs(number) > 1e-6)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(("ours & theirs", "<pid>")), numbers), min_size=1))
def test_every_dot_lies_inside_the_picture(drawn: list[tuple[str, str, float]]) -> None:
    picture = ElementTree.fromstring(dots("some", Axis("share", mark=1.0), [Dot(*dot) for dot in drawn]))
    circles = picture.findall(f"{SVG}circle")
    assert len(circles) == len(drawn)
    assert all(0 <= float(circle.get("cx", "-1")) <= WIDTH for circle in circles)


@given(st.lists(st.floats(1e-6, 1e9), min_size=1), st.booleans())
def test_a_curve_has_a_point_for_each_value(y: list[float], logarithmic: bool) -> None:
    drawn = [Curve("one", range(1, len(y) + 1), y)]
    picture = ElementTree.fromstring(curves("some", (Axis("plans"), Axis("seconds", logarithmic)), drawn))
    line = picture.find(f"{SVG}polyline")
    assert line is not None
    assert len((line.get("points") or "").split()) == len(y)


@pytest.mark.parametrize(
    ("values", "labels"), [([0.0, 1.0], ["0", "0.5", "1"]), ([10.0, 1000.0], ["0", "500", "1000"])]
)
def test_ticks_are_round_numbers(values: list[float], labels: list[str]) -> None:
    picture = dots("some", Axis("share"), [Dot(str(value), "ours", value) for value in values])
    assert all(f">{label}</text>" in picture for label in labels)
