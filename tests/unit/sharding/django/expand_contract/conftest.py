"""A small zoo that a release runs, and what is said of operations on it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import models
from django.db.migrations import CreateModel, Migration
from django.db.migrations.operations.base import Operation

from sharding.django.expand_contract import verdicts
from sharding.django.expand_contract.history import Running, World
from sharding.django.operations import Distribute, Reference
from tests.native import native
from tests.unit.sharding.django.expand_contract.repository import APP, Repository

Codes = Callable[..., list[str]]

ZOO = [
    CreateModel("Keeper", [("id", models.BigAutoField(primary_key=True))]),
    Reference("Keeper"),
    CreateModel(
        "Animal",
        [
            ("pk", models.CompositePrimaryKey("user_id", "id")),
            ("user_id", models.UUIDField()),
            ("id", models.UUIDField()),
            ("name", models.CharField(max_length=50)),
            ("motto", models.TextField(null=True)),
            ("price", models.DecimalField(max_digits=8, decimal_places=2)),
            ("legs", models.IntegerField(db_default=4)),
            ("code", models.CharField(max_length=9, null=True, unique=True)),
            ("keeper", models.ForeignKey("zoo.Keeper", models.CASCADE, db_index=False, null=True)),
        ],
        {
            "constraints": [
                models.UniqueConstraint(fields=["user_id", "name"], name="animal_name"),
                models.CheckConstraint(condition=models.Q(legs__gte=0), name="animal_legs"),
            ],
        },
    ),
    Distribute("Animal", by="user_id"),
    CreateModel("Ticket", [("id", models.BigAutoField(primary_key=True))]),
]


def migration(*operations: Operation, app: str = "zoo", **attributes: Any) -> Migration:
    """Make a migration that no file holds."""
    kind = type("Migration", (Migration,), {"operations": list(operations), **attributes})
    made: Migration = kind("0002_next", app)
    return made


def world(*releases: list[Operation]) -> World:
    """Return what earlier releases have left, one migration each."""
    made = World.empty(set())
    for operations in releases:
        made.replay(migration(*operations))
    return made


@pytest.fixture
def codes() -> Codes:
    """Return the codes of what is wrong with operations on the zoo.

    `after` are migrations that the running release has besides the zoo's; `first` those that are
    new as well, and run before the operations.
    """

    def judge(
        *operations: Operation,
        after: tuple[list[Operation], ...] = (),
        first: tuple[list[Operation], ...] = (),
        atomic: bool = True,
    ) -> list[str]:
        now = world(ZOO, *after)
        running = Running.of("v1", now.models)
        for earlier in first:
            list(now.play(migration(*earlier), running))
        changes = list(now.play(migration(*operations, atomic=atomic), running))
        return [objection.code for objection in verdicts.objections(changes)]

    return judge


@pytest.fixture
@native("runs git")
def repository(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Repository:
    package = f"migrations_{uuid4().hex}"
    settings.MIGRATION_MODULES = {APP: package}
    monkeypatch.syspath_prepend(tmp_path)
    made = Repository(tmp_path, package)
    made.release("v1")
    return made
