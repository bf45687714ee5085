"""The studies of hold-outs and of other policies run in a thin mode and tell what they promise."""

from benchmarks import holdout, off_policy


def test_hold_outs_are_held_against_what_is_true() -> None:
    size = holdout.Size(worlds=1, draws=10, lived=0, days=1, requests=800)
    world = holdout.World(holdout.bought(1, size, 0.5), holdout.bought(1, size, 0.0))
    assert world.promoted.sum() > world.unpromoted.sum() > 0
    told = holdout.summed_up(list(holdout.drawn(world, "0.20", size, 1)))
    assert told["coverage"]["always"] >= 0.9
    needed = [holdout.needed(world, share)["buyers"] for share in ("0.01", "0.20")]
    assert needed[0] > needed[1]


def test_policies_are_held_against_what_they_bring_when_lived() -> None:
    found = off_policy.measured(off_policy.Size(worlds=1, lots=1, requests=800))
    assert found["policies"].keys() == off_policy.POLICIES.keys()
    assert all(row["answered"] <= row["of"] == 1 for row in found["policies"].values())
