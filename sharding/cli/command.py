"""Commands and their group: the common options are taken before and after a command's name."""

from __future__ import annotations

import difflib
from typing import Any

import click

from sharding.cli import commands
from sharding.cli.app import App

EXIT_CODES = """\b
Exit codes:
  0    fine: nothing found, or done
  1    problems were found, the work did not complete, or the result cannot be written
  2    the command line cannot be meant, or consent was not given; nothing was changed
  3    no cluster: unreachable, lost, a pooler, no coordinator, or no Citus
  4    preflight or another shardctl forbids the change; nothing was changed
  130  interrupted (Ctrl-C)
"""


def _keep(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    source = context.get_parameter_source(str(parameter.name))
    if source is not click.core.ParameterSource.DEFAULT:
        setattr(context.ensure_object(App), str(parameter.name), value)


def common_options() -> list[click.Option]:
    """Return the options of every command."""
    settings: Any = {"expose_value": False, "callback": _keep, "is_eager": True}
    return [
        click.Option(
            ["--dsn"],
            metavar="URL",
            help="The coordinator, as a superuser. Default: $SHARDCTL_DSN, else the local stack.",
            **settings,
        ),
        click.Option(
            ["--format"],
            type=click.Choice(["table", "json"]),
            default="table",
            help="For people or for programs.",
            **settings,
        ),
        click.Option(["--show-sql"], is_flag=True, help="Print the SQL that is run.", **settings),
        click.Option(["--yes", "-y"], is_flag=True, help="Do it without asking.", **settings),
        click.Option(["--no-color"], is_flag=True, help="No colours.", **settings),
    ]


class ShardctlCommand(click.Command):
    """A command with the common options: `@click.command("move", cls=ShardctlCommand)`."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.params.extend(common_options())

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep the command's name: errors name it too, even those of its options."""
        ctx.ensure_object(App).command = ctx.info_name
        return super().parse_args(ctx, args)

    def format_options(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """List the command's own options first, then the common ones."""
        common = {option.name for option in common_options()}
        records = [(p.name, p.get_help_record(context)) for p in self.get_params(context)]
        own = [r for name, r in records if r and name not in common]
        shared = [r for name, r in records if r and name in common]
        for title, rows in (("Options", own), ("Common options", shared)):
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)


class ShardctlGroup(click.Group):
    """The group of all commands, which are loaded when they are asked for."""

    def list_commands(self, context: click.Context) -> list[str]:
        """Return the commands in the order of the help."""
        return commands.names()

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Return a command by its name."""
        return commands.load(name) if name in commands.names() else None

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; of one that there is not, name those that are spelt alike."""
        try:
            return super().resolve_command(context, args)
        except click.UsageError as error:
            alike = difflib.get_close_matches(args[0], commands.names(), n=2, cutoff=0.6)
            if not alike:
                raise
            meant = f"{error.message} Did you mean {' or '.join(alike)}?"
            raise click.UsageError(meant, error.ctx) from error

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands by what they are for."""
        available = commands.names()
        for title, names in commands.SECTIONS.items():
            rows = [
                (name, commands.load(name).get_short_help_str(66))
                for name in names
                if name in available
            ]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)
