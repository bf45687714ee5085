"""The charts of a run as plain options of Apache ECharts, ready to be written as JSON.

Colours and formatters are named ("@spend", "@yuan"); `static/page.js` puts the page's colours and number formats in
their place. Money in a chart is yuan.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from fractions import Fraction
from typing import Any

from qianheng.actions.summary import PlanDay, PlanHour, PlanRun, Prospect, RunSummary, gap_shares
from qianheng.core.days import HOUR, REFUND_WINDOW_1H, REFUND_WINDOW_7D, REFUND_WINDOW_14D, microseconds
from qianheng.core.money import yuan_number
from qianheng.core.words import say
from qianheng.measures.maturity import Seen
from qianheng.pages.parts import Html, element, empty, panel
from qianheng.plans.plan import Goal

Option = dict[str, Any]

REFUND_AGES = [1, 6, 24, 72, 168, 336]  # hours named on the axis
LEGEND_ITEM = {"icon": "roundRect", "itemWidth": 14, "itemHeight": 8, "itemGap": 14}
UNSEEN_AXIS = {"show": False, "axisPointer": {"show": False, "triggerTooltip": False}}
CLOCK_LABELS = {**dict.fromkeys(("year", "month", "day"), "{MM}-{dd}"), "hour": "{HH}:{mm}"}
BINDINGS = ("roi", "budget", "profit", "cap")
LEAST, REACH = 0.01, 2.0  # the landscape is drawn between these shares of the daily budget


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart by its name in the catalogue of words. `option` is `None` when there is nothing to draw; charts of one
    `group` zoom together.
    """

    name: str
    option: Option | None
    group: str | None = None


def plan_charts(run: PlanRun) -> list[Chart]:
    """Every chart of one plan."""
    traded = any(hour.spend or hour.gmv for hour in run.hours)
    served = any(hour.multiplier is not None for hour in run.hours)
    seen = any(prospect.spend for prospect in run.landscape)
    group = f"plan-{run.plan.id}"
    return [
        Chart("days", _days(run) if run.sums.spend else None),
        Chart("maturity", _maturity(run) if any(run.ripening) else None),
        Chart("hour_of_day", _hour_of_day(run.hours) if traded else None),
        Chart("hours", _hours(run.hours) if traded else None, group),
        Chart("multiplier", _multiplier(run.hours) if served else None, group),
        Chart("moves", _moves(run.hours) if any(hour.moved for hour in run.hours) else None, group),
        Chart("gap", _gap(run.days) if any(day.gap for day in run.days) else None),
        Chart("landscape", _landscape(run) if seen else None),
        *([Chart("members", _members(run), group)] if run.members else []),
    ]


def refund_chart(summary: RunSummary) -> Chart:
    """How the refunded share of GMV grows with the age of the order."""
    return Chart("refunds", _refunds(summary.refund_maturity) if summary.refund_maturity else None)


def draw(chart: Chart) -> Html:
    """A chart as a panel: its title, how to read it, the place it is drawn in and its options as JSON."""
    title = say(f"pages.chart.{chart.name}.title")
    if chart.option is None:
        return panel(title, None, empty(say(f"pages.chart.{chart.name}.empty")))
    place = element("div", class_="canvas", role="img", aria_label=title)
    options = element("script", embedded(chart.option), type="application/json")
    hint = say(f"pages.chart.{chart.name}.hint")
    return panel(title, hint, place, options, class_=f"chart {chart.name}", data_group=chart.group)


def embedded(value: object) -> Html:
    """JSON that is safe inside a script element, whatever it holds."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Html(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def _days(run: PlanRun) -> Option:
    rois: dict[str, Callable[[PlanDay], Fraction | None]] = {
        "payment_roi": lambda day: day.sums.payment_roi,
        "net_roi": lambda day: day.sums.net_roi,
        "settled_roi": lambda day: day.sums.settled_roi(closed=True),
    }
    if run.plan.goal is Goal.OVERALL:
        rois["overall_roi"] = lambda day: day.sums.overall_roi
    steps = _target_steps(run)
    spend = series(
        "figure.spend", "bar", [yuan_number(day.sums.spend) for day in run.days], itemStyle={"opacity": 0.45}
    )
    right = {"yAxisIndex": 1}
    lines = [
        series(f"figure.{name}", "line", [_ratio(roi(day)) for day in run.days], "@roi", **right)
        for name, roi in rois.items()
    ]
    # The steps have an axis of their own, so that a change stands at its hour; the unseen line tells the tooltip.
    stepped = series("figure.target", "line", steps, "@roi", xAxisIndex=1, step="end", symbol="none", **right)
    unseen = {"lineStyle": {"opacity": 0}, "symbol": "none"}
    told = series("figure.target", "line", _targets_by_day(run.days, steps), "@roi", **right, **unseen)
    base = frame([f"{day.day:%m-%d}" for day in run.days])
    return {
        **base,
        "xAxis": [base["xAxis"], {"type": "value", "min": 0, "max": len(run.days), **UNSEEN_AXIS}],
        "yAxis": [axis("@yuan_short"), {**axis("@roi"), "splitLine": {"show": False}}],
        "series": [spend, *lines, stepped, told],
    }


def _target_steps(run: PlanRun) -> list[list[float | None]]:
    """The target over the run: (days since its start, target in force from then on)."""
    begin = datetime.combine(run.days[0].day, time(), run.hours[0].at.tzinfo)
    steps: list[list[float | None]] = [[0.0, _number(run.first.target)]]
    for made in run.log:
        after = dict(made.after)
        if "target" in after:
            since = (made.at - begin).total_seconds() / 86400
            steps.append([round(min(max(since, 0.0), len(run.days)), 4), _number(after["target"])])
    return [*steps, [float(len(run.days)), steps[-1][1]]]


def _targets_by_day(days: Sequence[PlanDay], steps: Sequence[Sequence[float | None]]) -> list[float | None]:
    """The target in force at the end of each day."""
    return [[target for since, target in steps[:-1] if (since or 0) < i + 1][-1] for i in range(len(days))]


def _hours(hours: Sequence[PlanHour]) -> Option:
    spend = series("figure.spend", "bar", [[_clock(hour), yuan_number(hour.spend)] for hour in hours])
    gmv = series("figure.gmv", "line", [[_clock(hour), yuan_number(hour.gmv)] for hour in hours])
    return {**_clock_frame(), "series": [spend, gmv]}


def _multiplier(hours: Sequence[PlanHour]) -> Option:
    points = [[_clock(hour), hour.multiplier] for hour in hours]
    line = series("figure.multiplier", "line", points, "@decimal", connectNulls=False)
    held = {
        binding: [[_clock(hour), hour.multiplier] for hour in hours if hour.binding == binding] for binding in BINDINGS
    }
    dots = [
        series(f"binding.{binding}", "scatter", dots, "@nothing", symbolSize=5)
        for binding, dots in held.items()
        if dots
    ]
    scale = {**axis("@decimal"), "type": "log", "logBase": 2}
    return {**_clock_frame(), "yAxis": scale, "series": [line, *dots]}


def _moves(hours: Sequence[PlanHour]) -> Option:
    """Stacked by hour: what moved the logarithm of the multiplier since the hour before."""
    movers = dict.fromkeys(mover for hour in hours for mover in hour.moved)
    drawn = [
        series(f"mover.{one}", "bar", _moved_by(hours, one), "@decimal", stack="moves", barMaxWidth=18)
        for one in movers
    ]
    return {**_clock_frame(), "yAxis": axis("@decimal"), "series": drawn}


def _moved_by(hours: Sequence[PlanHour], mover: str) -> list[list[float | None]]:
    return [[_clock(hour), round(hour.moved[mover], 4) if hour.moved else None] for hour in hours]


def _gap(days: Sequence[PlanDay]) -> Option:
    """Stacked by day: the share of the hindsight optimum that was reached, and what kept the rest away."""
    shares = [gap_shares([day]) for day in days]
    reached = [round(day.reached / day.best, 4) if day.best > 0 else None for day in days]
    stacked: Option = {"stack": "optimum", "barMaxWidth": 28}
    drawn = [series("figure.reached", "bar", reached, "@percent", **stacked)]
    for cause in dict.fromkeys(cause for one in shares for cause in one):
        parts = [round(one[cause], 4) if cause in one else None for one in shares]
        drawn.append(series(f"cause.{cause}", "bar", parts, "@percent", **stacked))
    return {**frame([f"{day.day:%m-%d}" for day in days]), "yAxis": axis("@percent"), "series": drawn}


def _members(run: PlanRun) -> Option:
    """Stacked by hour: what a super plan spent on each of its members."""
    clock = {microseconds(hour.at): _clock(hour) for hour in run.hours}
    look: Option = {"type": "bar", "stack": "members", "barMaxWidth": 28, "tooltip": {"valueFormatter": "@yuan"}}
    drawn = [
        {
            **look,
            "name": member.name,
            "data": [[clock[one.at], yuan_number(one.spend)] for one in member.hours if one.at in clock],
        }
        for member in run.members
    ]
    return {**_clock_frame(), "series": drawn}


def _hour_of_day(hours: Sequence[PlanHour]) -> Option:
    of_hour = [[hour for hour in hours if hour.at.hour == number] for number in range(24)]

    def mean(name: str) -> list[float | None]:
        return [yuan_number(sum(getattr(hour, name) for hour in same) / max(len(same), 1)) for same in of_hour]

    drawn = [series("figure.spend", "bar", mean("spend")), series("figure.gmv", "line", mean("gmv"))]
    return {**frame([f"{number}:00" for number in range(24)]), "series": drawn}


def _maturity(run: PlanRun) -> Option:
    """What the ROIs of the plan's days looked like when each was so many days over."""
    ages = [number for number, seen in enumerate(run.ripening, 1) if seen is not None]
    kept = {"name": say("figures.maturity.kept_roi")}
    rois: dict[str, tuple[Callable[[Seen], Fraction | None], Option]] = {
        "payment_roi": (lambda seen: seen.payment_roi, {}),
        "net_roi": (lambda seen: seen.net_roi, {}),
        "settled_roi": (lambda seen: seen.kept_roi, kept),
    }
    lines = [
        series(f"figure.{name}", "line", [_ratio(roi(seen)) for seen in run.ripening if seen], "@roi", **more)
        for name, (roi, more) in rois.items()
    ]
    return {**frame([say("pages.days", value=age) for age in ages]), "yAxis": axis("@roi"), "series": lines}


def _landscape(run: PlanRun) -> Option:
    budget = run.plan.budget_daily
    final = next((hour.multiplier for hour in reversed(run.hours) if hour.multiplier is not None), None)
    shown = _telling(run.landscape, budget, final or 0.0)
    marks = [{"yAxis": yuan_number(budget), "label": _label(say("pages.mark.budget"), "insideStartTop")}]
    if final is not None:
        marks.append({"xAxis": final, "label": _label(f"{say('pages.mark.final')} {final:.2f}", "end")})
    spend = series("figure.spend", "line", [[point.multiplier, yuan_number(point.spend)] for point in shown])
    worth = series("figure.worth", "line", [[point.multiplier, yuan_number(point.worth)] for point in shown])
    base = frame()
    axis = {
        "type": "log",
        "logBase": 2,
        "min": shown[0].multiplier,
        "max": shown[-1].multiplier,
        "name": say("pages.figure.multiplier"),
        "nameLocation": "middle",
        "nameGap": 26,
        "axisLabel": {"formatter": "@decimal", "hideOverlap": True},
    }
    return {
        **base,
        "grid": {**base["grid"], "bottom": 30},
        "xAxis": axis,
        "series": [{**spend, "markLine": mark_lines(marks)}, worth, *_band(shown)],
    }


def _band(shown: Sequence[Prospect]) -> list[Option]:
    """Where four days of five are expected to spend: a shade stacked on a clear line."""
    ends = ((point.multiplier, point.spend_low, point.spend_high - point.spend_low) for point in shown)
    low, shade = zip(*(((at, yuan_number(low)), (at, yuan_number(width))) for at, low, width in ends), strict=True)
    lines = series("figure.spend", "line", low), series("figure.spend", "line", shade, areaStyle={"opacity": 0.15})
    clear = {
        "name": say("pages.figure.spend_between"),
        "stack": "between",
        "lineStyle": {"opacity": 0},
        "silent": True,
        "tooltip": {"show": False},
    }
    return [line | clear for line in lines]


def _telling(landscape: Sequence[Prospect], budget: int, final: float) -> Sequence[Prospect]:
    """The part of a landscape that tells something: from some spend to twice the budget, the final multiplier in it."""
    lowest = next(
        (i for i, point in enumerate(landscape) if point.spend > LEAST * budget or point.multiplier >= final), 0
    )
    highest = sum(point.spend <= REACH * budget or point.multiplier <= final for point in landscape)
    return landscape[max(lowest - 1, 0) : highest + 1]


def _refunds(maturity: Sequence[tuple[int, float]]) -> Option:
    marks = [window // HOUR for window in (REFUND_WINDOW_1H, REFUND_WINDOW_7D, REFUND_WINDOW_14D)]
    last = max(marks[-1], maturity[-1][0])
    points = [[age, round(share, 6)] for age, share in maturity]
    area = {"step": "end", "areaStyle": {"opacity": 0.12}}
    line = series("figure.refunded", "line", [*points, [last, points[-1][1]]], "@percent", **area)
    lines = [{"xAxis": hours, "label": _label(_age(hours), "end")} for hours in marks]
    label = {"formatter": "@age", "customValues": REFUND_AGES}
    return {
        **frame(),
        "xAxis": {"type": "log", "min": 1, "max": last, "axisLabel": label, "axisTick": {"customValues": REFUND_AGES}},
        "yAxis": {**axis("@percent"), "min": 0},
        "series": [{**line, "markLine": mark_lines(lines)}],
    }


def frame(categories: Sequence[str] | None = None) -> Option:
    """What all charts have in common; `categories` along the bottom, if any."""
    frame: Option = {
        "animation": False,
        "legend": {"top": 0, "left": 0, "right": 0, "type": "scroll", **LEGEND_ITEM},
        "tooltip": {"trigger": "axis", "confine": True},
        "grid": {"top": 44, "left": 8, "right": 12, "bottom": 10, "containLabel": True},
        "yAxis": axis("@yuan_short"),
    }
    if categories is not None:
        frame["xAxis"] = {"type": "category", "data": list(categories)}
    return frame


def _clock_frame() -> Option:
    """A frame with the hours of the run along the bottom and a slider to zoom into them."""
    base = frame()
    slider = {"type": "slider", "bottom": 8, "height": 18, "showDetail": False, "brushSelect": False}
    return {
        **base,
        "useUTC": True,
        "grid": {**base["grid"], "bottom": 44},
        "xAxis": {"type": "time", "axisLabel": {"formatter": CLOCK_LABELS, "hideOverlap": True}},
        "dataZoom": [{"type": "inside", "zoomOnMouseWheel": "ctrl"}, slider],
    }


def _clock(hour: PlanHour) -> int:
    """The milliseconds at which a clock of UTC shows what the plan's clock showed: axes know no time zones."""
    return int(hour.at.replace(tzinfo=UTC).timestamp()) * 1000


def series(key: str, kind: str, data: Sequence[Any], formatter: str = "@yuan", **more: Any) -> Option:
    """A series named by its key in the catalogue of words, in the colour of the key's last part."""
    drawn: Option = {
        "name": say(f"pages.{key}"),
        "type": kind,
        "data": list(data),
        "color": f"@{key.rpartition('.')[2]}",
        "tooltip": {"valueFormatter": formatter},
    }
    if kind == "line":
        drawn |= {"showSymbol": len(data) < 3, "lineStyle": {"width": 2}}
    return drawn | more


def axis(formatter: str) -> Option:
    """An axis of values in a format."""
    return {"type": "value", "axisLabel": {"formatter": formatter}}


def mark_lines(lines: Sequence[Option]) -> Option:
    """Thin lines across a chart, each where it says."""
    style = {"color": "@muted", "type": "dashed", "width": 1}
    return {"symbol": "none", "silent": True, "lineStyle": style, "data": list(lines)}


def _label(text: str, position: str) -> Option:
    return {"formatter": text, "position": position, "color": "@muted"}


def _age(hours: int) -> str:
    return say("pages.hours", value=hours) if hours < 24 else say("pages.days", value=hours // 24)


def _ratio(value: Fraction | None) -> float | None:
    return None if value is None else round(float(value), 4)


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
