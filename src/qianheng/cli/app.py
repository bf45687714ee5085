"""The tree of commands. Built after the language is chosen, since help texts are words too."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from qianheng import __version__
from qianheng.cli.click_words import speak_in_help
from qianheng.cli.options import App
from qianheng.cli.output import Commands
from qianheng.core.words import say

CHAPTERS = {
    "market": ("simulate", "serve", "replay"),
    "reports": ("import", "doctor", "report", "reconcile", "sync", "vendor-server", "export", "shop"),
    "morning": ("review", "alerts", "diagnose", "proposals", "automation", "advise", "what-if"),
    "evidence": ("experiment", "incrementality", "figures", "maturity", "metrics", "explain"),
    "plans": ("plan", "guarantee", "claim", "money", "incentives"),
    "people": ("member", "notices", "audit"),
}


def build_app() -> typer.Typer:
    """All commands, with help in the language spoken."""
    speak_in_help()
    app = App(
        say("cli.about"),
        cls=Chapters,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        add_completion=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    _add_commands(app)
    _add_groups(app)
    return app


def _add_commands(app: typer.Typer) -> None:
    from qianheng.cli import (
        desk,
        doctor,
        figures,
        incrementality,
        maturity,
        metrics,
        reconciling,
        replay,
        reports,
        simulate,
        vendor_server,
        whatif,
    )

    simulate.add_to(app)
    replay.add_to(app)
    reports.add_to(app)
    reconciling.add_to(app)
    doctor.add_to(app)
    whatif.add_to(app)
    desk.add_to(app)
    figures.add_to(app)
    metrics.add_to(app)
    maturity.add_to(app)
    incrementality.add_to(app)
    vendor_server.add_to(app)


def _add_groups(app: typer.Typer) -> None:
    from qianheng.cli import (
        advise,
        alerts,
        auditing,
        automation,
        claims,
        diagnose,
        experiments,
        explain,
        guarantee,
        incentives,
        member,
        money,
        plan,
        proposals,
        reviews,
        shop,
        sync,
    )

    app.add_typer(alerts.build_app(), name="alerts")
    app.add_typer(automation.build_app(), name="automation")
    app.add_typer(claims.build_app(), name="claim")
    app.add_typer(diagnose.build_app(), name="diagnose")
    app.add_typer(experiments.build_app(), name="experiment")
    app.add_typer(explain.build_app(), name="explain")
    app.add_typer(auditing.build_export_app(), name="export")
    app.add_typer(guarantee.build_app(), name="guarantee")
    app.add_typer(incentives.build_app(), name="incentives")
    app.add_typer(plan.build_app(), name="plan")
    app.add_typer(member.build_app(), name="member")
    app.add_typer(money.build_app(), name="money")
    app.add_typer(proposals.build_app(), name="proposals")
    app.add_typer(reviews.build_app(), name="review")
    app.add_typer(shop.build_app(), name="shop")
    app.add_typer(sync.build_app(), name="sync")
    app.add_typer(advise.build_app(), name="advise")


class Chapters(Commands):
    """All commands, in the order a newcomer would need them."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write each chapter with its commands; those of none come last."""
        told = {name for names in CHAPTERS.values() for name in names}
        for chapter, names in CHAPTERS.items():
            self.write_section(formatter, say(f"cli.chapter.{chapter}"), names)
        if rest := [name for name in self.commands if name not in told]:
            self.write_section(formatter, say("cli.commands"), rest)


def _root(
    version: Annotated[bool, typer.Option("--version", help=say("cli.version"))] = False,
    lang: Annotated[str, typer.Option("--lang", metavar="[en|zh]", help=say("cli.lang"))] = "",
) -> None:
    if version:
        typer.echo(f"qianheng {__version__}")
        raise typer.Exit
