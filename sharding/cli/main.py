"""The entry point: runs a command, and turns every error into a sentence and an exit code."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from sharding.cli import streams
from sharding.cli.about import version
from sharding.cli.app import App
from sharding.cli.command import EXIT_CODES, ShardctlGroup, common_options
from sharding.errors import QueryFailed, ShardingError

INTERRUPTED = 130


@click.group(cls=ShardctlGroup, params=common_options(), epilog=EXIT_CODES)
@click.version_option(version=version(), prog_name="shardctl")
def shardctl() -> None:
    """See, check and change the shards of a Citus cluster.

    Commands that change something show what they will do and ask; --yes answers for scripts.
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `shardctl` and return its exit code."""
    streams.take_any_encoding()
    app = App()
    try:
        result = shardctl.main(
            args=list(arguments) if arguments is not None else None,
            prog_name="shardctl",
            standalone_mode=False,
            obj=app,
        )
        sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as help_:
        click.echo(help_.format_message())
        return 2
    except click.ClickException as error:
        return _usage(app, error)
    except ShardingError as error:
        return _failed(app, error)
    except (click.Abort, KeyboardInterrupt):
        app.say("Interrupted.")
        return INTERRUPTED
    except OSError as error:
        return _unwritable(error)
    return result if isinstance(result, int) else 0


def _usage(app: App, error: click.ClickException) -> int:
    if app.json:
        _emit_error(app, code="usage", message=error.format_message(), exit_code=2, hint="")
    else:
        error.show()
    return 2


def _unwritable(error: OSError) -> int:
    """A full disk, or a reader that has gone: what was done is done, and cannot be shown."""
    with contextlib.suppress(OSError):
        if not isinstance(error, BrokenPipeError):
            click.echo(f"shardctl: the result cannot be written: {error.strerror}.", err=True)
    with contextlib.suppress(OSError, ValueError):
        # Python would complain once more when it closes it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1


def _failed(app: App, error: ShardingError) -> int:
    hint = error.hint if isinstance(error, QueryFailed) else ""
    if app.json:
        _emit_error(app, code=error.code, message=str(error), exit_code=error.exit_code, hint=hint)
    else:
        app.messages.print(f"[red]shardctl:[/] {_escaped(error)}", soft_wrap=True)
        if hint:
            app.messages.print(f"[dim]{hint}[/]", soft_wrap=True)
    return error.exit_code


def _escaped(error: Exception) -> str:
    return str(error).replace("[", r"\[")


def _emit_error(app: App, **error: Any) -> None:
    app.emit({"error": error})


if __name__ == "__main__":
    sys.exit(main())
