"""`shardctl where KEY`: which shard and node hold a user, an e-mail or a product."""

from __future__ import annotations

import click
from rich.console import Console
from rich.text import Text

from sharding.cli import surroundings
from sharding.cli.app import App, pass_app
from sharding.cli.command import ShardctlCommand
from sharding.cli.tables import rows, table
from sharding.figures import count
from sharding.inspection import whereabouts
from sharding.inspection.whereabouts import Place


@click.command("where", cls=ShardctlCommand, short_help="which shard and node hold a key")
@click.argument("key")
@click.option("--table", metavar="TABLE", help="Only the colocation group of this table.")
@pass_app
def command(app: App, *, key: str, table: str | None) -> int:
    """Say which shard and node hold KEY: a user's UUID, a product's number, a name, an e-mail.

    Of an id that is no shard key, an order's or a payment's, the place of its user is said; every
    shard is asked for it.

    Texts are tried as they are and with each prefix of SHARDCTL_TEXT_PREFIXES (comma-separated,
    e.g. "email:,username:"); a row that names a key of other tables, as an identity names its
    user, is followed.

    The place is computed from the key's hash and compared with what the server says; exit code 1
    when they differ. A key without rows has a place all the same.
    """
    with app.cluster() as cluster:
        found = whereabouts.find(cluster, key, prefixes=surroundings.text_prefixes(), table=table)
    app.show(found, lambda console: render(console, found))
    return int(not all(place.agrees for place in found))


def render(console: Console, found: list[Place]) -> None:
    """Print a block for each place."""
    for number, place in enumerate(found):
        if number:
            console.print()
        _render_place(console, place)


def _render_place(console: Console, place: Place) -> None:
    title = Text(place.key, style="bold")
    title.append(f"  {place.key_type}, hash {place.hash}", style="not bold dim")
    if place.followed_from:
        title.append(f", named by {place.followed_from}", style="not bold dim")
    console.print(title)
    console.print(Text.assemble("on ", (place.node, "bold cyan")))
    made = table("Table", ">Shard", "Its table on the node", ">Rows")
    content = ((s.table, s.shard_id, s.relation, count(s.rows)) for s in place.shards)
    console.print(rows(made, content))
    if place.missed:
        console.print(Text(place.missed, style="yellow"))
    elif any(shard.rows is None for shard in place.shards):
        console.print(Text("The node does not answer: rows were not counted.", style="red"))
    elif not place.is_known:
        console.print(Text("No row has this key yet; it would be stored here.", style="yellow"))
    if not place.agrees:
        says = f"The server says shard {place.server_shard_id}: do not trust the place above."
        console.print(Text(says, style="bold red"))
    console.print(Text(place.psql), soft_wrap=True)
