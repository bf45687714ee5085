"""Options that go together are one value of a command, and stand in its help as if they were its own."""

import inspect
from dataclasses import dataclass
from typing import Annotated

import typer
from typer.testing import CliRunner

from qianheng.cli.options import App, Seat, unfolded
from qianheng.cli.output import AsJson
from tests.cli.conftest import Told


@dataclass(frozen=True, slots=True)
class ClerkSeat(Seat):
    actor: Annotated[str, typer.Option("--as")] = "clerk"


def greet(seat: Seat, name: Annotated[str, typer.Argument()], as_json: AsJson = False) -> None:
    typer.echo(f"{name} {seat} {as_json}")


def clerk(seat: ClerkSeat) -> None:
    typer.echo(f"{seat.run}/{seat.actor}/{seat.now}")


def said(*arguments: str) -> str:
    app = App("Tests.")
    app.command("greet")(greet)
    app.command("clerk")(clerk)
    app.command("plain")(lambda: typer.echo("plain"))
    return CliRunner().invoke(app, arguments).output


def test_options_of_a_value_stand_after_the_own_and_before_json() -> None:
    assert list(inspect.signature(unfolded(greet)).parameters) == ["name", "run", "actor", "now", "as_json"]


def test_a_command_is_called_with_the_value_made_of_its_options() -> None:
    assert said("greet", "Li", "--run", "r1", "--now", "2026-01-02", "--json") == (
        "Li Seat(run='r1', actor='', now='2026-01-02') True\n"
    )


def test_a_value_of_its_own_kind_has_its_own_defaults() -> None:
    assert said("clerk") == "/clerk/\n"
    assert said("clerk", "--as", "boss") == "/boss/\n"


def test_a_command_without_such_values_stays_as_it_is() -> None:
    assert unfolded(said) is said
    assert said("plain") == "plain\n"


def test_a_seat_moves_only_where_nothing_else_was_asked_for() -> None:
    seat = Seat("r1", "", "2026-01-02")
    assert seat.at("2026-01-03").now == "2026-01-03"
    assert seat.at("") == seat
    assert seat.by("system").actor == "system"
    assert Seat(actor="li").by("system").actor == "li"


def test_an_option_that_a_command_would_not_hear_of_is_refused(told: Told) -> None:
    """It stands before the command, where only the group without a command reads it."""
    code, said = told("proposals", "--run", "x", "--as", "li", "list", "--json")
    assert (code, "--run, --as" in said, "qianheng proposals list" in said) == (2, True, True)
