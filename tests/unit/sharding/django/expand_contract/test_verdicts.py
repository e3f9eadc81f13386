"""A migration may be allowed what is objected to, for a reason that everybody reads."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import models
from django.db.migrations import AddField, Migration, RemoveField, SeparateDatabaseAndState

from sharding.django.expand_contract import verdicts
from sharding.django.expand_contract.objections import REMEDIES
from sharding.django.expand_contract.verdicts import Verdict
from tests.unit.sharding.django.expand_contract.conftest import ZOO, migration

DOCUMENT = Path(__file__).resolve().parents[5] / "docs" / "migrations.md"
REMOVE = RemoveField("animal", "motto")
AGE = AddField("animal", "age", models.IntegerField(null=True))

Judge = Callable[..., Verdict]


def _judge(new: Migration) -> Verdict:
    loader: Any = SimpleNamespace(unmigrated_apps=set(), disk_migrations={})
    plan = [migration(*ZOO)], [new]
    release: Any = SimpleNamespace(name="v1", loader=loader, changed=(), plan=lambda: plan)
    [verdict] = verdicts.judge(release)
    return verdict


def _sentences(verdict: Verdict) -> list[tuple[str, str]]:
    return [(objection.code, objection.message) for objection in verdict.refused]


def test_an_objection_names_table_release_and_operation() -> None:
    [objection] = _judge(migration(REMOVE)).refused
    assert objection.code == "drop-column"
    assert objection.message == "zoo_animal.motto is still read and written by v1."
    assert objection.operation == "Remove field motto from animal"
    assert "DropField" in objection.remedy


def test_a_reason_allows_what_it_names_and_nothing_else() -> None:
    allowed = {"drop-column": "  nothing reads it\n  since v0 "}
    verdict = _judge(
        migration(REMOVE, AddField("animal", "age", models.IntegerField()), allowed=allowed)
    )
    assert [(each.code, reason) for each, reason in verdict.allowed] == [
        ("drop-column", "nothing reads it since v0")
    ]
    assert [each.code for each in verdict.refused] == ["not-null-column"]


@pytest.mark.parametrize("reason", ["", "  \n", None, 1, True])
def test_an_empty_reason_allows_nothing(reason: object) -> None:
    verdict = _judge(migration(REMOVE, allowed={"drop-column": reason}))
    assert verdict.allowed == ()
    assert [code for code, _ in _sentences(verdict)] == ["drop-column", "bad-allowance"]


def test_an_allowance_that_nothing_needs_is_refused() -> None:
    verdict = _judge(migration(AGE, allowed={"drop-column": "just in case"}))
    sentence = "drop-column is allowed, but nothing objects to it."
    assert _sentences(verdict) == [("bad-allowance", sentence)]


@pytest.mark.parametrize("code", ["drop-colum", "bad-allowance", "", 7])
def test_an_allowance_of_an_unknown_code_is_refused(code: object) -> None:
    verdict = _judge(migration(AGE, allowed={code: "why not"}))
    assert _sentences(verdict) == [("bad-allowance", f"{code!r} is the code of no objection.")]


@pytest.mark.parametrize("allowed", [True, "drop-column", ["drop-column"], None])
def test_an_allowance_has_to_be_a_dict(allowed: object) -> None:
    verdict = _judge(migration(AGE, allowed=allowed))
    assert [code for code, _ in _sentences(verdict)] == ["bad-allowance"]


def test_a_migration_of_another_package_is_allowed_in_the_settings(settings: Any) -> None:
    settings.SHARDING_ALLOWED_MIGRATIONS = {"zoo.0002_next": {"drop-column": "it is theirs"}}
    [(objection, reason)] = _judge(migration(REMOVE)).allowed
    assert (objection.code, reason) == ("drop-column", "it is theirs")


def test_what_cannot_be_followed_is_refused_and_not_passed_over() -> None:
    lost = SeparateDatabaseAndState(database_operations=[RemoveField("nobody", "motto")])
    [objection] = _judge(migration(lost)).refused
    assert objection.code == "unknown-operation"
    assert objection.message.startswith("This check cannot follow it: ")


@pytest.mark.native("reads the documents")
def test_every_code_is_explained_in_the_handbook() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert [code for code in REMEDIES if f"`{code}`" not in text] == []
