"""Options that go together are one value: a command takes a `Seat`, the command line shows `--run --as --now`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any, Self, TypeAlias, TypeVar, get_type_hints

import typer

from qianheng.cli.output import Commands
from qianheng.core.words import say

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from datetime import datetime

    from qianheng.actions.desk import Desk

RunName: TypeAlias = Annotated[str, typer.Option("--run", metavar="NAME", help=say("desk.command.run"))]
As: TypeAlias = Annotated[str, typer.Option("--as", metavar="NAME", help=say("desk.command.as"))]
Now: TypeAlias = Annotated[str, typer.Option("--now", metavar="TIME", help=say("desk.command.now"))]
AsOf: TypeAlias = Annotated[str, typer.Option("--as-of", metavar="TIME", help=say("desk.command.as_of"))]

JSON = "as_json"  # stands last in every help

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Seat:
    """Where a command is at work: the desk of which run, as whom, at what time; what is empty is as `desk_of` says."""

    run: RunName = ""
    actor: As = ""
    now: Now = ""

    def desk(self) -> AbstractContextManager[Desk]:
        """The desk sat at. No such run or member: NotFound; a time that cannot be read: BadInput."""
        from qianheng.actions.desk import desk_of

        return desk_of(self.run, self.actor, self.now)

    def at(self, time: str) -> Self:
        """The seat at another time, if one is given."""
        return replace(self, now=time or self.now)

    def by(self, actor: str) -> Self:
        """The seat of somebody else, unless it was said whose it is."""
        return replace(self, actor=self.actor or actor)


class App(typer.Typer):
    """A group of commands, each of which may take options that go together as one value (`unfolded`)."""

    def __init__(self, about: str, *, cls: type[Commands] = Commands, **settings: Any) -> None:
        super().__init__(cls=cls, help=about, **settings)

    def command(self, name: str | None = None, **settings: Any) -> Callable[[Command], Command]:
        """As Typer's, of the command unfolded."""
        return _unfolding(super().command(name, **settings))

    def callback(self, **settings: Any) -> Callable[[Command], Command]:
        """As Typer's, of the command unfolded."""
        return _unfolding(super().callback(**settings))


def _unfolding(add: Callable[[Callable[..., Any]], Any]) -> Callable[[Command], Command]:
    def added(command: Command) -> Command:
        add(unfolded(command))
        return command

    return added


def unfolded(command: Callable[..., Any]) -> Callable[..., Any]:
    """The command as Typer reads it: in place of each parameter that is a dataclass, the options that are its fields,
    after the command's own and before `--json`.
    """
    parameters = inspect.signature(command, eval_str=True).parameters.values()
    bundles: dict[str, Any] = {one.name: one.annotation for one in parameters if is_dataclass(one.annotation)}
    if not bundles:
        return command
    options = {name: _options(bundle) for name, bundle in bundles.items()}

    @wraps(command)
    def called(**given: Any) -> Any:
        values = {
            name: bundle(**{one.name: given.pop(one.name) for one in options[name]}) for name, bundle in bundles.items()
        }
        return command(**given, **values)

    own = [one.replace(kind=one.KEYWORD_ONLY) for one in parameters if one.name not in bundles]
    shown = own + [one for of_bundle in options.values() for one in of_bundle]
    shown.sort(key=lambda one: one.name == JSON)
    called.__signature__ = inspect.Signature(shown)  # type: ignore[attr-defined]
    called.__annotations__ = {}
    return called


def _options(bundle: Any) -> list[inspect.Parameter]:
    hints = get_type_hints(bundle, include_extras=True)
    kind = inspect.Parameter.KEYWORD_ONLY
    return [
        inspect.Parameter(one.name, kind, default=one.default, annotation=hints[one.name]) for one in fields(bundle)
    ]


def minute(at: datetime, here: datetime) -> str:
    """A time as people read it, in the zone of `here`."""
    return f"{at.astimezone(here.tzinfo):%Y-%m-%d %H:%M}"
