"""What a shop is advised today: proposals made from what is known, those before followed up (SPEC 7.3, 7.9)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection

from qianheng.actions.advising import Looked, promotion, rulebook
from qianheng.actions.desk import Desk
from qianheng.actions.findings import rules_kept, to_look_at
from qianheng.actions.histories import Asked, history_of
from qianheng.actions.landscapes import Past, landscape_of_reports, landscape_of_run, told_of_all
from qianheng.actions.plan_standing import known_of
from qianheng.actions.vendor_plans import where
from qianheng.actions.whatif import habits
from qianheng.core.actors import AUTOMATION
from qianheng.core.words import say
from qianheng.diagnosis.findings import Finding, findings
from qianheng.diagnosis.verdicts import Thresholds, thresholds
from qianheng.guarantee.guard import Known, weigh
from qianheng.measures.history import History
from qianheng.plans.plan import Value, change
from qianheng.store import proposals, runs
from qianheng.store.database import own_file
from qianheng.strategy.case import Advisers, Rules, Stake, rules
from qianheng.strategy.decisions import Move, Standing, Status, Step
from qianheng.strategy.followup import Trial, follow_up
from qianheng.strategy.goals import GoalAdvice, advise_goal
from qianheng.strategy.landscape import Landscape
from qianheng.strategy.learning import Followed, learn
from qianheng.strategy.promotions import PromotionAdvice
from qianheng.strategy.proposal import Proposal
from qianheng.strategy.proposing import propose
from qianheng.strategy.rules import TargetRules, advice_rules
from qianheng.strategy.undoing import after_promotions, undoings

KnownOf = Callable[[int], Known]
DAYS_KNOWN = 36  # two windows of fourteen days, and what a plan rests between
MEASURABLE = timedelta(days=21)  # later a history does not reach back before a change any more


@dataclass(frozen=True, slots=True)
class Grounds:
    """What proposals rest on: the history, the landscapes of the plans that have learned of their market, how a plan
    stands with its guarantee when a change is weighed (`None`: plans of another platform, which are not changed here),
    how proposals are made, what figures are judged by, and how targets are stepped; and where somebody looked for them:
    what was found wrong, the goal that suits, and a promotion.
    """

    history: History
    landscapes: Mapping[str, Landscape] = field(default_factory=dict)
    known: KnownOf | None = None
    rules: Rules = field(default_factory=rules)
    thresholds: Thresholds = field(default_factory=thresholds)
    targets: TargetRules = field(default_factory=lambda: advice_rules().target)
    found: tuple[Finding, ...] = ()
    goal: GoalAdvice | None = None
    promotion: PromotionAdvice | None = None


def grounds_of_run(desk: Desk, shop_id: str = "") -> Grounds:
    """What is known of a shop of a run (default: the actor's) at the desk's time. Errors as `history_of`."""
    history = history_of(desk, all_asked(shop_id))
    return _looked_into(Grounds(history, landscapes_of_run(desk, history)))


def grounds_of_reports(history: History) -> Grounds:
    """What imported reports tell: the landscapes of the plans whose days are enough to tell of theirs."""
    found = {plan_id: landscape_of_reports(past, habits().usual) for plan_id, past in _pasts(history).items()}
    return _looked_into(Grounds(history, {plan_id: one for plan_id, one in found.items() if one is not None}))


def landscapes_of_run(desk: Desk, history: History) -> dict[str, Landscape]:
    """The landscapes of a run's plans that have learned of their market, as what-ifs look at them."""
    told, usual = told_of_all(desk), habits().usual
    pasts = {plan_id: past for plan_id, past in _pasts(history).items() if plan_id in told}
    return {plan_id: landscape_of_run(past, told[plan_id], usual) for plan_id, past in pasts.items()}


def _pasts(history: History) -> dict[str, Past]:
    return {one: Past(history, plan, plan.setting) for one, plan in history.plans.items() if plan.setting}


def all_asked(shop_id: str = "") -> Asked:
    """What of the past everything is asked of that proposals rest on."""
    asked = to_look_at(rules_kept(), shop_id)
    return replace(asked, days=max(DAYS_KNOWN, asked.days))


def _looked_into(grounds: Grounds) -> Grounds:
    """The same with what was found wrong, the goal that suits and a promotion; rules are the owner's where the home
    folder has some.
    """
    history, book = grounds.history, rulebook()
    return replace(
        grounds,
        rules=rules(own_file("proposing.toml")),
        thresholds=thresholds(own_file("thresholds.toml")),
        targets=book.advice.target,
        found=findings(history, rules_kept()),
        goal=advise_goal(history, book.advice.goal),
        promotion=promotion(Looked(history), book),
    )


def at_desk(desk: Desk, connection: Connection, grounds: Grounds) -> Grounds:
    """The same, with how plans of a run stand with their guarantee."""
    return replace(grounds, known=partial(known_of, desk, connection)) if runs.clock(connection) else grounds


def advise(desk: Desk, grounds: Grounds) -> list[Standing]:
    """Today's proposals and all others that are open, most profitable first. Again on the same day: nothing new."""
    with desk.database.begin() as connection:
        found = look_through(desk, connection, at_desk(desk, connection, grounds))
    return sorted(found, key=lambda one: one.weight)


def look_through(desk: Desk, connection: Connection, grounds: Grounds) -> list[Standing]:
    """Close what has had its time, measure what can be measured, and make today's proposals; all that are open.

    Again on the same day: nothing new, and of each plan only one change.
    """
    kept = proposals.of_shop(connection, grounds.history.shop.id)
    kept = [_found_there(desk, connection, one) for one in kept]
    kept = [_expired(desk, connection, one) for one in kept]
    kept = [_measured(desk, connection, one, grounds.history) for one in kept]
    for made in propose(grounds.history, _advisers(desk, grounds, kept), grounds.rules):
        if not _said_already(made, kept):
            kept.append(proposals.keep(connection, grounds.history.shop.id, made))
    return [one for one in proposals.of_shop(connection, grounds.history.shop.id) if one.status is Status.OPEN]


def followed_up(kept: list[Standing]) -> list[Followed]:
    """The proposals whose effect has been measured, and what it was."""
    return [Followed(_as_taken(one), one.found) for one in kept if one.found is not None]


def step_made(connection: Connection, standing: Standing, made: Move) -> Standing:
    """Keep a step of a proposal; where it stands then. One that does not follow: Refused."""
    after = standing.having(made)
    proposals.move(connection, made)
    return after


def step_by(desk: Desk, standing: Standing, step: Step) -> Move:
    """A step that whoever sits at the desk makes now."""
    return Move.by(desk.actor, standing.proposal.id, step, desk.now)


def _found_there(desk: Desk, connection: Connection, standing: Standing) -> Standing:
    """The same, or carried out since the plan, of a connected account, is seen to be set as was taken up."""
    taken = standing.made(Step.ACCEPT)
    if standing.status is not Status.ACCEPTED or taken is None:
        return standing
    there = where(connection, standing.proposal.plan_id or "")
    if there is None or not there.has(standing.after):
        return standing
    made = step_by(replace(desk, actor=AUTOMATION), standing, Step.CARRY_OUT)
    since = max(there.setting.at, taken.at)
    return step_made(connection, standing, replace(made, at=since, reason=say("proposals.found_there")))


def _expired(desk: Desk, connection: Connection, standing: Standing) -> Standing:
    """The same, or closed where its time has passed."""
    waits = standing.status in (Status.OPEN, Status.ACCEPTED)
    if not waits or desk.now < standing.proposal.good_until:
        return standing
    return step_made(connection, standing, step_by(replace(desk, actor=AUTOMATION), standing, Step.EXPIRE))


def _measured(desk: Desk, connection: Connection, standing: Standing, history: History) -> Standing:
    """The same, or with what it has done where that can be told by now."""
    done = standing.made(Step.CARRY_OUT)
    if standing.status is not Status.CARRIED_OUT or done is None or history.now - done.at > MEASURABLE:
        return standing
    proposal = _as_taken(standing)
    trial = Trial(
        proposal.plan_id, done.at, proposal.effects, proposal.window, _changed_again(history, proposal, done.at)
    )
    found = follow_up(history, trial)
    if found is None:
        return standing
    return step_made(
        connection, standing, replace(step_by(replace(desk, actor=AUTOMATION), standing, Step.MEASURE), found=found)
    )


def _as_taken(standing: Standing) -> Proposal:
    """The proposal as it was taken up: of other values than those proposed nothing was expected."""
    return replace(standing.proposal, after=standing.after, effects=()) if standing.edited else standing.proposal


def _changed_again(history: History, proposal: Proposal, at: datetime) -> datetime | None:
    plan = history.plans.get(proposal.plan_id or "")
    return next((one.at for one in plan.settings if one.at > at), None) if plan else None


def _said_already(made: Proposal, kept: list[Standing]) -> bool:
    """Whether a plan has its change of that day, or the same task is open."""
    same_plan = [one for one in kept if one.proposal.plan_id == made.plan_id]
    if made.changes_plan:
        today = made.made_at.date()
        return any(one.proposal.changes_plan and one.proposal.made_at.date() == today for one in same_plan)
    return any(one.status is Status.OPEN and one.proposal.action is made.action for one in same_plan)


def _advisers(desk: Desk, grounds: Grounds, kept: list[Standing]) -> Advisers:
    known = grounds.known
    return Advisers(
        landscapes=grounds.landscapes,
        stake=partial(_stake, desk, known) if known else Advisers().stake,
        learnt=learn(followed_up(kept)),
        thresholds=grounds.thresholds,
        targets=grounds.targets,
        undo=tuple(undoings(grounds.history, kept)),
        findings=grounds.found,
        goal=grounds.goal,
        promotion=grounds.promotion,
        after_promotion=tuple(after_promotions(grounds.history, kept)),
    )


def _stake(desk: Desk, known: KnownOf, plan_id: str, after: Mapping[str, Value]) -> Stake:
    """What a change would do to the guarantee of the day, as the edit guard judges it."""
    found = known(int(plan_id))
    weighed = weigh(found, change(found.plan, len(found.history), desk.now, desk.actor.name, "", **after))
    return Stake(weighed.costs, weighed.at_stake)
