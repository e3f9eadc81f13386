"""`shardctl completion`: what a shell needs to complete commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from sharding.cli.app import App, pass_app
from sharding.cli.command import ShardctlCommand

SHELLS = ("bash", "zsh", "fish")


@click.command("completion", cls=ShardctlCommand, short_help="complete commands in your shell")
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
@pass_app
def command(app: App, context: click.Context, *, shell: str) -> int:
    """Print the script that completes commands and options in a shell.

    \b
    bash:  eval "$(shardctl completion bash)"          in ~/.bashrc
    zsh:   eval "$(shardctl completion zsh)"           in ~/.zshrc
    fish:  shardctl completion fish | source           in config.fish
    """
    made = get_completion_class(shell)
    if made is None:
        raise click.UsageError(f"{shell} is not known.")
    root = context.find_root().command
    script = made(root, {}, "shardctl", "_SHARDCTL_COMPLETE").source()
    if app.json:
        app.emit({"data": script})
    else:
        click.echo(script)
    return 0
