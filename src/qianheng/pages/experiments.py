"""A test as a document: the plain verdict and what to do first, then what a statistician asks for (SPEC 12)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

from qianheng.actions.experiment_results import Told
from qianheng.actions.side_by_side import SideBySide
from qianheng.core.words import say
from qianheng.experiments.designs import Arm, Experiment, Happened, Unit
from qianheng.experiments.looking import Comparison, Looked
from qianheng.experiments.results import Rail, Result, Verdict, in_words
from qianheng.pages import document as parts
from qianheng.pages.document import (
    Amount,
    Badge,
    Block,
    Cell,
    Chart,
    Decision,
    Document,
    Figure,
    KeyFigures,
    Look,
    Paragraph,
    Section,
    Series,
    Sources,
    Table,
    amount,
    columns,
    number,
    share,
)
from qianheng.pages.side_by_side import results_table
from qianheng.plans.writing import shown

LOOKS: dict[Verdict, Look] = {
    Verdict.BROKEN: "urgent",
    Verdict.WINNER_B: "normal",
    Verdict.WINNER_A: "normal",
    Verdict.NO_DIFFERENCE: "normal",
    Verdict.NOT_YET: "watch",
}
RAILS: dict[Rail, Look] = {Rail.BROKEN: "urgent", Rail.KEPT: "normal", Rail.OPEN: "watch"}
UNITS = dict.fromkeys(("gmv", "net_gmv", "profit"), parts.Unit.MONEY) | {"orders": parts.Unit.ROI}
UNITS |= {
    "click_rate": parts.Unit.SHARE,
    "payment_roi": parts.Unit.ROI,
    "net_roi": parts.Unit.ROI,
    "refund_rate_1h": parts.Unit.SHARE,
}


def experiment_document(told: Told) -> Document:
    """The document of a test as it stands."""
    standing, experiment = told.standing, told.standing.experiment
    sections = [Section("verdict", say("designs.page.verdict"), tuple(_verdicts(told)))]
    if told.looked is not None:
        for one in told.looked.comparisons:
            title = say("designs.page.beside", arm=one.arm, first=experiment.arms[0].name)
            sections.append(Section(f"arm_{one.arm.lower()}", title, (_picture(one), _results(one))))
    sections += [one for arm, record in told.records.items() for one in _record(arm, record)]
    if told.looked is not None:
        sections.append(Section("watch", say("designs.page.watch"), tuple(_watch(told, told.looked))))
    sections.append(Section("design", say("designs.page.design"), tuple(_design(told))))
    facts = (
        Figure("experiment", say("designs.column.name"), standing.name),
        Figure("status", say("designs.column.status"), say(f"designs.status.{standing.status}")),
        Figure("days", say("designs.column.days"), f"{standing.first_day} – {standing.last_day}"),
    )
    title = say("designs.page.title", name=standing.name, template=experiment.template)
    return Document("experiment", say("designs.page.kind"), title, told.now, tuple(sections), facts)


def _verdicts(told: Told) -> Iterator[Block]:
    """What can be said, and what to do, arm by arm."""
    standing = told.standing
    if told.looked is None:
        yield from (
            _days(told) if standing.experiment.unit is Unit.DAYS else [Paragraph(say("designs.page.nothing_yet"))]
        )
        return
    for one in told.looked.comparisons:
        title = say("designs.page.says", arm=one.arm, verdict=in_words(one.verdict))
        look = "watch" if _dearer(one) else LOOKS[one.verdict]
        yield Decision(title, _why(told, one), look, "" if _dearer(one) else _command(told, one.arm, one.verdict))
        yield Paragraph(_earned(one, standing.experiment.arms[0].name))


def _dearer(one: Comparison) -> bool:
    """Whether the arm that wins earns less, surely: which of the two the owner wants, no statistic says."""
    winners = {Verdict.WINNER_A, Verdict.WINNER_B}
    return one.profit is not None and {one.verdict, one.profit.verdict} == winners


def _earned(one: Comparison, first: str) -> str:
    """What the difference means in money."""
    if one.profit is None:
        return say("designs.profit.unknown")
    if one.profit.difference is None:
        return say("designs.profit.too_few")
    change = parts.text_of(_change(one.profit))
    return say(f"designs.profit.{one.profit.verdict}", arm=one.arm, first=first, change=change)


def _days(told: Told) -> Iterator[Block]:
    """What days have shown, where days were assigned."""
    if told.by_days is None:
        yield Paragraph(say(f"designs.page.{'days_too_few' if told.whole else 'days_not_over'}"))
        return
    found, experiment, arm = told.by_days.switched, told.standing.experiment, told.standing.experiment.arms[1].name
    change = _interval(found.relative.low, found.relative.expected, found.relative.high)
    name, (a, b), drawn = experiment.named(experiment.primary), found.blocks, f"{found.p_drawn:.0%}"
    broken = _broken(experiment, told.by_days.rails)
    why = broken or say("designs.page.switched", measure=name, change=parts.text_of(change), a=a, b=b, drawn=drawn)
    verdict = told.by_days.verdict
    title = say("designs.page.says", arm=arm, verdict=in_words(verdict))
    yield Decision(title, why, LOOKS[verdict], _command(told, arm, verdict))
    figures = (Figure(experiment.primary, name, change),)
    states = tuple(
        Figure(name, experiment.named(name), Badge(in_words(state), RAILS[state]))
        for name, state in told.by_days.rails.items()
    )
    yield KeyFigures("switched", figures + states)


def _record(arm: str, record: SideBySide) -> Iterator[Section]:
    """The days side by side after 7, 14 and all days (SPEC 12): who is ahead in what."""
    hint = Paragraph(say("designs.page.record_hint"), hint=True)
    for length, found in record.results.items():
        title = f"{say('designs.page.record', arm=arm)} · {say('reviews.record.after', days=length)}"
        yield Section(f"record_{arm.lower()}_{length}", title, (results_table(length, found), hint))


def _why(told: Told, one: Comparison) -> str:
    """The sentence behind a verdict."""
    assert told.looked is not None  # there is a verdict
    primary = one.results[0]
    name = say(f"designs.measure.{primary.measure.name}")
    if told.looked.leaked:
        return say("designs.why.leaked")
    if not told.looked.shares.believed:
        return say("designs.why.shares")
    if broken := _broken(told.standing.experiment, one.rails):
        return broken
    if primary.relative is None:
        return say("designs.why.too_few", missing=primary.missing or 0, measure=name)
    return say("designs.why.interval", measure=name, change=parts.text_of(_change(primary)))


def _broken(experiment: Experiment, rails: Mapping[str, Rail]) -> str:
    """Which guard rails are broken; "" if none is."""
    found = [experiment.named(name) for name, state in rails.items() if state is Rail.BROKEN]
    return say("designs.why.rail", rails=", ".join(found)) if found else ""


def _command(told: Told, arm: str, verdict: Verdict) -> str:
    """What does what the verdict says of an arm."""
    standing, first = told.standing, told.standing.experiment.arms[0].name
    if standing.status in (Happened.STOPPED, Happened.ADOPTED):
        return ""
    if verdict is Verdict.BROKEN:
        return f"qianheng experiment stop {standing.name}"
    if verdict is Verdict.NOT_YET and not told.whole:
        return ""
    return f"qianheng experiment adopt {standing.name} {arm if verdict is Verdict.WINNER_B else first}"


def _picture(one: Comparison) -> Chart:
    """The relative differences and how far they reach."""
    known = [result for result in one.results if result.relative is not None]
    labels = tuple(say(f"designs.measure.{result.measure.name}") for result in known)
    series = tuple(
        Series(name, say(f"designs.page.{end}"), values, parts.Unit.SHARE)
        for name, end in (("gmv", "expected"), ("low", "low"), ("high", "high"))
        for values in [tuple(getattr(result.relative, end) for result in known)]
    )
    title, empty = say("designs.page.picture"), say("designs.page.too_early")
    return Chart("differences", title, labels, series, say("designs.page.picture_hint"), empty, ranges=True)


def _results(one: Comparison) -> Table:
    heads = columns("designs", "measure", "a", "b", "change", "once", "winner", text=("measure", "winner"))
    return Table("results", say("designs.page.results"), heads, tuple(map(_row, one.results)), _hint(one))


def _row(result: Result) -> tuple[Cell, ...]:
    unit = UNITS[result.measure.name]
    once = None if result.once is None else _interval(result.once.low, result.once.expected, result.once.high)
    values = (Amount(value, unit) for value in result.values)
    winner = Badge(in_words(result.verdict), LOOKS[result.verdict])
    return (say(f"designs.measure.{result.measure.name}"), *values, _change(result), once, winner)


def _hint(one: Comparison) -> str:
    a, b = one.results[0].users
    return say("designs.page.hint", a=a, b=b)


def _change(result: Result) -> Amount:
    if result.measure.signed:
        told, unit = result.difference, UNITS[result.measure.name]
        return Amount(None, unit) if told is None else Amount(told.expected, unit, told.low, told.high, signed=True)
    told = result.relative
    return Amount(None, parts.Unit.SHARE) if told is None else _interval(told.low, told.expected, told.high)


def _interval(low: Fraction | int, value: Fraction | int, high: Fraction | int) -> Amount:
    return Amount(value, parts.Unit.SHARE, low, high, signed=True)


def _watch(told: Told, looked: Looked) -> Iterator[Block]:
    """What would make the result worthless, and how ripe it is."""
    rows = [
        (one.arm, say(f"designs.measure.{name}"), Badge(in_words(state), RAILS[state]))
        for one in looked.comparisons
        for name, state in one.rails.items()
    ]
    heads = columns("designs", "arm", "guard_rail", "state", text=("arm", "guard_rail", "state"))
    yield Table("guard_rails", say("designs.page.guard_rails"), heads, tuple(rows), empty=say("designs.page.no_rails"))
    believed = Badge(say(f"designs.shares.{looked.shares.believed}"), "normal" if looked.shares.believed else "urgent")
    figures = [Figure("shares", say("designs.page.shares"), believed, " : ".join(map(str, looked.shares.users)))]
    figures += [Figure("leaked", say("designs.page.leaked"), amount(looked.leaked))]
    figures += [Figure(f"met_{arm}", say("designs.page.met", arm=arm), number(met)) for arm, met in looked.met.items()]
    figures += [
        Figure(f"spend_{arm}", say("designs.page.spend", arm=arm), amount(s)) for arm, s in looked.spend.items()
    ]
    figures += [Figure("looks", say("designs.page.looks"), number(told.standing.looks))]
    yield KeyFigures("watch", tuple(figures))
    if told.measured is not None:
        first, last = told.measured
        ripe = say("designs.page.no_day") if told.mature_to is None else str(told.mature_to)
        yield Paragraph(say("designs.page.mature", first=first, last=last, ripe=ripe), hint=True)


def _design(told: Told) -> Iterator[Block]:
    """How the test is made, so that anybody can check it."""
    experiment, plans = told.standing.experiment, told.standing.plans
    heads = columns("designs", "arm", "plan", "users", "settings", text=("arm", "plan", "settings"))
    rows = tuple(_arm(arm, plans.get(arm.name)) for arm in experiment.arms)
    yield Table("arms", say("designs.page.arms"), heads, rows)
    phases = ", ".join(
        say("designs.page.phase", days=phase.days, budget=":".join(map(str, phase.budget)))
        for phase in experiment.phases
    )
    figures = (
        Figure("unit", say("designs.page.unit"), say(f"designs.unit.{experiment.unit}")),
        Figure("primary", say("designs.page.primary"), experiment.named(experiment.primary)),
        Figure("effect", say("designs.page.effect"), share(Fraction(experiment.effect))),
        Figure("alpha", say("designs.page.alpha"), share(Fraction(experiment.alpha))),
        Figure("power", say("designs.page.power"), share(Fraction(experiment.power))),
        Figure("ways", say("designs.page.ways"), say(f"designs.looks.{experiment.looks}")),
        Figure("settles", say("designs.page.settles"), number(experiment.settles)),
        Figure("phases", say("designs.page.phases"), phases),
        Figure("salt", say("designs.page.salt"), str(experiment.salt)),
    )
    yield KeyFigures("design", figures)
    for note in ("assignment", "estimator", "once", "interference"):
        yield Paragraph(say(f"designs.note.{note}"), hint=True)
    yield Sources(tuple(f"qianheng plan log {id_}" for id_ in plans.values()))


def _arm(arm: Arm, plan: int | None) -> tuple[Cell, ...]:
    settings = ", ".join(f"{say(f'planning.field.{name}')} {shown(name, value)}" for name, value in arm.settings)
    held = say("designs.page.held_out") if arm.holds_out else settings or say("designs.page.as_it_is")
    users = None if arm.users is None else share(Fraction(arm.users.size, 10_000))
    return (arm.name, None if plan is None else str(plan), users, held)
