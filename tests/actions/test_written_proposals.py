"""A proposal for a plan of a connected account: written there as its owner allowed, read back, and only then done."""

import json
import os
import signal
from dataclasses import replace
from decimal import Decimal

import pytest

from qianheng.actions import pushing, vendor_accounts
from qianheng.actions.vendor_accounts import account_of, alone_with
from qianheng.vendors.qianchuan.server import Server
from tests.actions.conftest import Say
from tests.actions.test_pushing import PUSH, logged, market
from tests.actions.test_syncing import stored, time
from tests.vendors.vendor_account import ACCOUNT, PRODUCT, asking

__all__ = ["market", "stored", "time"]
NOW = "2026-06-20T09:30"
AT = ("--reports", "--now", NOW, "--json")


@pytest.fixture
def proposed(market: Server, say: Say) -> str:
    """The name of a proposal to give the plan another target."""
    market.books[ACCOUNT].changes.clear()  # it has rested since the 3rd
    say("sync", "--now", NOW)
    say("shop", "set", "margin=0.9")
    made = json.loads(say("proposals", *AT))
    (one,) = [one for one in made if one["plan_id"] == PRODUCT and "target" in one["after"]]
    assert one["before"] == {"target": "2.5"}
    return str(one["id"])


def target(market: Server) -> Decimal | None:
    return market.books[ACCOUNT].plans[PRODUCT].target


def standing(say: Say, name: str) -> dict[str, object]:
    told: dict[str, object] = json.loads(say("proposals", "show", name, *AT))
    return told


def test_what_is_accepted_is_written_read_back_and_done_and_can_be_taken_back(
    market: Server, say: Say, proposed: str
) -> None:
    done = json.loads(say("proposals", "accept", proposed, "--write", "--edit", "target=2.2", *AT))
    assert (done["status"], done["taken"]) == ("carried_out", {"target": "2.2"})
    assert "written to shop and read back" in done["moves"][-1]["reason"]
    assert target(market) == Decimal("2.2")
    assert [step for step in logged() if step in ("writing", "written")] == ["writing", "written"]
    back = json.loads(say("proposals", "roll-back", proposed, "--write", "--why", "dear", *AT))
    assert back["status"] == "rolled_back"
    assert back["moves"][-1]["reason"].startswith("dear; written to shop")
    assert target(market) == Decimal("2.5")


def test_without_the_switch_it_waits_until_it_is_seen_to_be_done_there(market: Server, say: Say, proposed: str) -> None:
    told = say("proposals", "accept", proposed, "--reports", "--now", NOW)
    assert f"qianheng proposals accept {proposed} --reports --write" in told
    assert standing(say, proposed)["status"] == "accepted"
    assert target(market) == Decimal("2.50")
    wanted = standing(say, proposed)["after"]["target"]  # type: ignore[index]
    say(*PUSH, "--target", str(wanted), "--write")
    say("proposals", *AT)
    assert standing(say, proposed)["status"] == "carried_out"
    assert "not seen to be set back" in say("proposals", "roll-back", proposed, "--reports", "--now", NOW)
    assert standing(say, proposed)["status"] == "carried_out"


def test_what_was_accepted_and_not_done_in_its_time_has_had_it(market: Server, say: Say, proposed: str) -> None:
    say("proposals", "accept", proposed, *AT)
    say("proposals", "--reports", "--now", "2026-06-22T09:00")
    assert standing(say, proposed)["status"] == "expired"


def test_what_is_not_allowed_leaves_it_open(market: Server, say: Say, proposed: str) -> None:
    say("sync", "forbid", "shop")
    assert "nothing may be written" in say("proposals", "accept", proposed, "--write", *AT)
    say("sync", "allow", "shop", "--budget-at-most", "400", "--change-at-most", "0.01")
    assert "a step wider than 1" in say("proposals", "accept", proposed, "--write", *AT)
    assert standing(say, proposed)["status"] == "open"
    assert target(market) == Decimal("2.50")


def test_a_plan_set_otherwise_there_meanwhile_is_not_written_over(market: Server, say: Say, proposed: str) -> None:
    say(*PUSH, "--target", "2.6", "--write")
    assert "target=2.6" in say("proposals", "accept", proposed, "--write", *AT)
    assert target(market) == Decimal("2.6")
    assert standing(say, proposed)["status"] == "open"


def test_what_the_vendor_does_not_do_stays_accepted_and_can_be_tried_again_or_dropped(
    market: Server, say: Say, proposed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    calm = vendor_accounts.network

    def refusing(request: object) -> tuple[int, bytes]:
        if getattr(request, "path", "").endswith("roi2_goal/update/"):
            results = [{"ad_id": int(PRODUCT), "status": "FAILED", "error_message": "too soon"}]
            return 200, json.dumps({"code": 0, "message": "OK", "data": {"results": results}}).encode()
        status, told = market.answer(request)  # type: ignore[arg-type]
        return status, json.dumps(told).encode()

    monkeypatch.setattr(vendor_accounts, "network", lambda: asking(refusing))
    assert "too soon" in say("proposals", "accept", proposed, "--write", *AT)
    assert standing(say, proposed)["status"] == "accepted"
    monkeypatch.setattr(vendor_accounts, "network", calm)
    assert "cannot be accepted" in say("proposals", "accept", proposed, "--write", "--edit", "target=2.4", *AT)
    assert json.loads(say("proposals", "accept", proposed, "--write", *AT))["status"] == "carried_out"


def test_a_process_killed_between_a_write_and_its_reading_back_goes_on(
    market: Server, say: Say, proposed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server lives in this process, so what a killed child wrote there is written here once more."""
    if (child := os.fork()) == 0:
        monkeypatch.setattr(pushing, "_tell_found", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
        say("proposals", "accept", proposed, "--write", "--edit", "target=2.2", *AT)
        os._exit(1)  # pragma: no cover  it was killed before
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    assert [step for step in logged() if step != "accept"] == ["writing"]
    assert standing(say, proposed)["status"] == "accepted"
    plans = market.books[ACCOUNT].plans
    plans[PRODUCT] = replace(plans[PRODUCT], target=Decimal("2.2"))
    done = json.loads(say("proposals", "accept", proposed, "--write", *AT))
    assert done["status"] == "carried_out"
    assert [step for step in logged() if step in ("writing", "written")] == ["writing", "written"]
    assert json.loads(say(*PUSH, "--undo", "--json"))["changes"] == {"target": {"before": "2.2", "after": "2.5"}}


def test_one_command_at_a_time_reads_or_writes_an_account(market: Server, say: Say, proposed: str) -> None:
    with alone_with(account_of()):
        for words in (
            ("sync", "--now", NOW),
            (*PUSH, "--target", "2.6"),
            ("proposals", "accept", proposed, "--write", *AT),
        ):
            assert "another command is reading or writing this account" in say(*words)
    assert standing(say, proposed)["status"] == "open"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("proposals", "accept", "p99", "--write", *AT), "p99"),
        (("proposals", "accept", "p1", "--write"), "--write: writes to connected accounts; it goes with --reports"),
    ],
)
def test_what_cannot_be_written_says_why(
    market: Server, say: Say, kept: object, words: tuple[str, ...], told: str
) -> None:
    say("sync", "--now", NOW)
    assert told in say(*words)
