"""`shardctl lint`: what in the Django models would not survive distribution or a move."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from sharding.cli import findings
from sharding.cli.app import App, pass_app
from sharding.cli.command import ShardctlCommand
from sharding.errors import InvalidInput
from sharding.inspection import declarations, placements
from sharding.inspection.findings import Finding


@dataclass(frozen=True, kw_only=True)
class Report:
    """What `lint --format json` shows."""

    tables: int
    compared: bool
    findings: tuple[Finding, ...]


@click.command("lint", cls=ShardctlCommand, short_help="will the Django models survive it")
@click.option("--settings", metavar="MODULE",
              help="Django's settings. Default: $DJANGO_SETTINGS_MODULE.")  # fmt: skip
@click.option("--path", type=click.Path(exists=True, file_okay=False, path_type=Path),
              default=".", show_default=True,
              help="Where the project lies; its src/ as well.")  # fmt: skip
@click.option("--models-only", is_flag=True, help="Do not compare with a cluster.")
@click.option("--strict", is_flag=True, help="Exit 1 for warnings as well.")
@pass_app
def command(app: App, *, settings: str | None, path: Path, models_only: bool, strict: bool) -> int:
    """Say what in the Django models Citus would refuse, or what would hurt when shards move.

    Reads the models through sharding.django (checks E001–E010 and warnings W101–W106), and
    compares them with the cluster: placements, shard keys, replica identities, shard counts.
    """
    # The cluster is asked first: without one, nothing of the models has to be loaded.
    cluster = None if models_only else app.cluster()
    try:
        models = _models(settings, path)
        found: list[Finding] = models.inspect()
        declared = models.declared()
        if cluster:
            layout = placements.read(cluster, sizes=False)
            found += declarations.inspect(cluster, layout, declared)
    finally:
        if cluster:
            cluster.close()
    report = Report(tables=len(declared), compared=not models_only, findings=tuple(found))
    app.show(report, lambda console: _render(console, report))
    return findings.exit_code(found, strict=strict)


def _models(settings: str | None, path: Path) -> Any:
    """Import the bridge to Django only now: shardctl itself does without."""
    if find_spec("django") is None:
        raise InvalidInput("lint reads Django models, and Django is not installed here.")
    models = importlib.import_module("sharding.django.lint")
    models.set_up(settings, path.resolve())
    return models


def _render(console: Console, report: Report) -> None:
    where = " and the cluster is as they say" if report.compared else ""
    fine = f"{report.tables} tables of models: nothing to object to{where}."
    findings.render(console, report.findings, fine=fine)
