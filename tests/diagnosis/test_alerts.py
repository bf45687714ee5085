"""The life of an alert: pending, raised once, told again, escalated, handled, over; silences and graver alerts."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from qianheng.core.days import HOUR, MINUTE
from qianheng.diagnosis.alerts import (
    AlertEvent,
    Board,
    Happened,
    Key,
    Observed,
    Silence,
    State,
    alerts_of,
    event_id,
    handle,
    step,
)
from qianheng.diagnosis.rules import ActiveRule, Rule
from qianheng.measures.history import About, Subject

BASE = Rule(about="plan", window="1h", measure="off_air_spend", comparison=">", limit="5", severity="act", lasting="5m")
RULES: Mapping[str, ActiveRule] = {
    "symptom": ActiveRule("symptom", replace(BASE, inhibited_by=("cause",)), 2.0, 1.0),
    "cause": ActiveRule("cause", replace(BASE, severity="urgent", lasting="1m"), 2.0, 1.0),
}
PLAN = Key("symptom", "1", Subject(About.PLAN, "7"))
CAUSE = Key("cause", "1", Subject(About.PLAN, "7"))
YES, NO, UNKNOWN = Observed(True, {"value": "9"}), Observed(False), Observed(None)


def lived(
    story: Mapping[int, Mapping[Key, Observed]], minutes: int, silences: list[Silence] | None = None
) -> list[AlertEvent]:
    board: Board = {}
    events: list[AlertEvent] = []
    for minute in range(minutes + 1):
        board, happened = step(board, story.get(minute, {}), minute * MINUTE, RULES, silences or [])
        events += happened
    return events


def told(events: list[AlertEvent], key: Key = PLAN) -> list[tuple[str, int]]:
    return [(event.happened.value, event.at // MINUTE) for event in events if event.key == key]


def test_a_condition_must_last_before_an_alert_is_raised() -> None:
    assert told(lived({0: {PLAN: YES}, 4: {PLAN: NO}, 6: {PLAN: YES}}, 10)) == []
    assert told(lived({0: {PLAN: YES}, 4: {PLAN: NO}, 6: {PLAN: YES}}, 11)) == [("fired", 11)]


@pytest.mark.parametrize(("plans", "still"), [(["7", "8"], True), (["8"], False), ([], False)])
def test_what_is_wrong_with_a_product_explains_the_plans_that_promote_it(plans: list[str], still: bool) -> None:
    product = Key("cause", "1", Subject(About.PRODUCT, "11"))
    story = {0: {product: Observed(True, {"plans": plans}), PLAN: YES}}
    assert told(lived(story, 60)) == ([] if still else [("fired", 5)])


def test_flapping_is_one_alert() -> None:
    story = {minute: {PLAN: YES if minute % 20 < 10 else NO} for minute in range(100)}
    assert told(lived(story, 100)) == [("fired", 5)]
    assert told(lived(story | {100: {PLAN: NO}}, 120)) == [("fired", 5), ("resolved", 104)]


def test_what_is_not_known_any_more_stands_for_a_day() -> None:
    story = {0: {PLAN: YES}, 30: {PLAN: UNKNOWN}}
    assert told(lived(story, 30 + 24 * 60))[-1] == ("resolved", 29 + 24 * 60)


def test_nobody_handles_it_so_it_goes_to_the_next_role_and_is_told_again() -> None:
    events = told(lived({0: {PLAN: YES}}, 60 * 30))
    assert events == [("fired", 5), ("escalated", 125), ("repeated", 125 + 24 * 60)]


def test_what_somebody_has_handled_is_told_no_more_until_it_is_over() -> None:
    board: Board = {}
    for minute in range(10):
        board, _ = step(board, {PLAN: YES}, minute * MINUTE, RULES, [])
    board = handle(board, [one.alert_id for one in board.values()])
    events = []
    for minute in range(10, 600):
        board, happened = step(board, {PLAN: YES if minute < 500 else NO}, minute * MINUTE, RULES, [])
        events += happened
    assert told(events) == [("resolved", 514)]


@pytest.mark.parametrize(
    "cause_about", [Subject(About.PLAN, "7"), Subject(About.SHOP, "1"), Subject(About.PRODUCT, "3", within="7")]
)
def test_a_graver_condition_of_the_same_its_whole_or_a_part_keeps_it_still(cause_about: Subject) -> None:
    cause = Key("cause", "1", cause_about)
    assert told(lived({0: {PLAN: YES, cause: YES}}, 60)) == []
    assert told(lived({0: {PLAN: YES, cause: YES}, 30: {cause: NO}}, 60)) == [("fired", 30)]


def test_the_same_of_another_plan_or_shop_does_not() -> None:
    for other in (Key("cause", "1", Subject(About.PLAN, "8")), Key("cause", "2", Subject(About.SHOP, "2"))):
        assert told(lived({0: {PLAN: YES, other: YES}}, 10)) == [("fired", 5)]


@pytest.mark.parametrize(
    ("rule_name", "plan_id", "covered"),
    [("symptom", "", True), ("", "7", True), ("cause", "", False), ("", "8", False)],
)
def test_a_silence_covers_its_rule_and_plan(rule_name: str, plan_id: str, covered: bool) -> None:
    silence = Silence(1, "1", 0, 3 * HOUR, "owner", "known", rule_name, plan_id)
    events = lived({0: {PLAN: YES}}, 200, [silence])
    assert events[0].quiet is covered
    assert told(events)[1] == ("escalated", 180 if covered else 125)


keys = st.sampled_from([PLAN, CAUSE, Key("symptom", "1", Subject(About.PLAN, "8"))])
seen = st.sampled_from([YES, NO, UNKNOWN])


@given(st.dictionaries(st.integers(0, 400), st.dictionaries(keys, seen, max_size=3), max_size=12), st.randoms())
@settings(max_examples=60)
def test_alerts_do_not_depend_on_the_order_or_number_of_times_events_are_told(story, random) -> None:  # type: ignore[no-untyped-def]
    events = lived(story, 500)
    again = [*events, *events[: len(events) // 2]]
    random.shuffle(again)
    assert alerts_of(again) == alerts_of(events)


class Watch(RuleBasedStateMachine):
    """Whatever is observed and handled: one open alert a key, events in order, each once."""

    def __init__(self) -> None:
        super().__init__()
        self.board: Board = {}
        self.now = 0
        self.events: list[AlertEvent] = []

    @rule(observed=st.dictionaries(keys, seen, max_size=3), minutes=st.integers(1, 200))
    def look(self, observed: dict[Key, Observed], minutes: int) -> None:
        for _ in range(minutes):
            self.now += MINUTE
            self.board, happened = step(self.board, observed, self.now, RULES, [])
            self.events += happened

    @rule()
    def handle_all(self) -> None:
        raised = [(key, one) for key, one in self.board.items() if one.alert_id and not one.handled]
        self.board = handle(self.board, [one.alert_id for _, one in raised])
        for key, one in raised:
            id_ = event_id(one.alert_id, Happened.HANDLED, self.now)
            severity = RULES[key.rule].severity
            self.events.append(AlertEvent(id_, one.alert_id, Happened.HANDLED, self.now, key, severity))

    @invariant()
    def every_event_is_told_once(self) -> None:
        assert len({event.id for event in self.events}) == len(self.events)

    @invariant()
    def what_is_open_on_the_board_is_open_among_the_alerts(self) -> None:
        alerts = {alert.id: alert for alert in alerts_of(self.events)}
        board = {one.alert_id: one for one in self.board.values() if one.alert_id}
        assert board.keys() == {id_ for id_, alert in alerts.items() if alert.state is not State.RESOLVED}
        assert all(alerts[id_].state is (State.HANDLED if one.handled else State.FIRING) for id_, one in board.items())

    @invariant()
    def nothing_happens_before_it_is_raised_or_after_it_is_over(self) -> None:
        order: dict[int, list[str]] = {}
        for event in self.events:
            order.setdefault(event.alert_id, []).append(event.happened.value)
        for life in order.values():
            assert life[0] == "fired"
            assert life.count("fired") == 1
            assert life.count("escalated") <= 1
            assert "resolved" not in life[:-1]


TestWatch = Watch.TestCase
TestWatch.settings = settings(max_examples=25, stateful_step_count=12, deadline=None)
