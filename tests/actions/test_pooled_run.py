"""A run in which all pools are ranked together: what people saw, and what limits change."""

from pathlib import Path

import pytest

from qianheng.actions.simulation import RunRequest, run_simulation
from qianheng.actions.summarise import summarise
from qianheng.actions.summary import RunSummary
from qianheng.actions.summary_json import as_json
from qianheng.cli.campaigns import print_campaigns, print_shown
from qianheng.core.words import speak
from qianheng.pages.run import render
from tests.actions.test_campaign_runs import SMALL

UNEXPLORED = {"learning.impressions": "0"}  # exploring spends most of what so small a market spends


def lived(folder: Path, **changes: str) -> RunSummary:
    return summarise(run_simulation(RunRequest("pools", overrides={**SMALL, **changes}, folder=folder)))


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> RunSummary:
    return lived(tmp_path_factory.mktemp("limited"), days="2", **UNEXPLORED)


def test_tighter_limits_show_fewer_ads_and_more_that_is_welcome(limited: RunSummary, tmp_path: Path) -> None:
    tight = {"pools.limits.ads_daily": "1", "pools.limits.relevance": "0.02"}
    strict = lived(tmp_path, days="2", **tight, **UNEXPLORED)
    assert limited.shown is not None
    assert strict.shown is not None
    assert strict.shown.ads_per_user < limited.shown.ads_per_user  # type: ignore[operator]
    assert strict.shown.ads_per_user <= 1  # type: ignore[operator]
    assert strict.shown.relevance > limited.shown.relevance  # type: ignore[operator]
    assert strict.sums.spend < limited.sums.spend


def test_the_run_tells_what_people_saw_of_every_pool(limited: RunSummary) -> None:
    told = as_json(limited)["experience"]
    assert set(told["looks"]) == {"ours", "advertisers", "commerce", "organic"}
    assert all(looks > 0 for looks in told["looks"].values())
    assert 0 < float(told["ad_share"]) < 1
    assert limited.balanced
    page = render(limited)
    assert 'id="pools"' in page
    assert "Commerce" in page


def test_a_person_reads_the_same_in_both_languages(limited: RunSummary, capsys: pytest.CaptureFixture[str]) -> None:
    for language, word in (("en", "ads a user and day"), ("zh", "每用户每天")):
        speak(language)  # type: ignore[arg-type]
        print_campaigns(limited.campaigns)
        print_shown(limited.shown)
        said = capsys.readouterr().out
        assert word in said
        assert all(run.campaign.name in said for run in limited.campaigns)
    speak("en")
