"""Standard campaigns in a run: through the auction into facts, ledger, summary, JSON and page, beside the plans."""

from pathlib import Path

import pytest

from qianheng.actions.simulation import RunFolder, RunRequest, run_simulation
from qianheng.actions.summarise import summarise
from qianheng.actions.summary import RunSummary
from qianheng.actions.summary_json import as_json
from qianheng.measures.sums import Sums, total
from qianheng.pages.run import render
from qianheng.plans.campaign import CampaignKind

SMALL = {
    "days": "1",
    "opportunities_per_day": "12000",
    "buyers.population": "8000",
    "step_minutes": "20",
    "campaigns.2.bid": "4",
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    folder: Path = tmp_path_factory.mktemp("campaigns")
    return run_simulation(RunRequest("pools", overrides=SMALL, folder=folder))


@pytest.fixture(scope="module")
def summary(run: RunFolder) -> RunSummary:
    return summarise(run)


def test_what_campaigns_spend_is_taken_from_the_same_account_to_the_micro_yuan(summary: RunSummary) -> None:
    spent = sum(campaign.sums.spend for campaign in summary.campaigns)
    assert spent > 0
    assert summary.sums.spend == spent + sum(plan.sums.spend for plan in summary.plans)
    assert summary.funds.cash == 6_000_000_000 - summary.sums.spend
    assert summary.funds.frozen == 0
    assert summary.balanced


def test_each_kind_is_shown_and_no_budget_is_exceeded(summary: RunSummary) -> None:
    assert {campaign.campaign.kind for campaign in summary.campaigns} == set(CampaignKind)
    for run in summary.campaigns:
        assert run.sums.impressions > 0
        assert run.sums.spend <= run.campaign.budget_daily * summary.days


def test_what_searches_brought_adds_up_to_the_search_campaign(summary: RunSummary) -> None:
    (search,) = (run for run in summary.campaigns if run.campaign.kind is CampaignKind.SEARCH)
    searched: Sums = total(one.sums for one in search.searched)
    assert (searched.spend, searched.impressions, searched.clicks) == (
        search.sums.spend,
        search.sums.impressions,
        search.sums.clicks,
    )
    assert {one.keyword for one in search.searched} <= {
        "连衣裙 女 秋",
        "针织开衫 女",
        "打底衫 纯棉",
        "针织开衫 外套 宽松",
    }


def test_the_profit_of_all_has_the_campaigns_in_it(summary: RunSummary) -> None:
    (plan,) = summary.plans
    assert summary.profit == plan.profit + sum(run.profit for run in summary.campaigns)
    for run in summary.campaigns:
        assert run.contribution <= run.sums.gmv - run.sums.commission
        assert run.profit == run.contribution - run.sums.spend


def test_the_statement_says_which_campaign_spent(summary: RunSummary) -> None:
    statement = render(summary).split('id="money"')[1]
    for run in summary.campaigns:
        assert (run.campaign.name in statement) == (run.sums.spend > 0)


def test_json_and_page_tell_of_every_campaign(summary: RunSummary) -> None:
    told = as_json(summary)
    assert [one["campaign_id"] for one in told["campaigns"]] == [101, 102, 103, 104]
    assert told["campaigns"][3]["spend"] == "0.00"
    page = render(summary)
    assert all(run.campaign.name in page for run in summary.campaigns)
    assert "针织开衫 女" in page
