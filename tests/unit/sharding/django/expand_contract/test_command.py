"""The command as people and pipelines call it."""

import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from sharding.django.management.commands import check_migrations
from tests.unit.sharding.django.expand_contract.repository import Repository

ROOT = Path(__file__).resolve().parents[5]
REMOVE = 'RemoveField("animal", "motto")'
REASON = 'allowed = {"drop-column": "the zoo is closed while this is done"}'


@pytest.fixture(autouse=True)
def project(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """Let the settings lie in the repository."""
    monkeypatch.setattr(check_migrations, "_project", lambda: repository.package)
    return repository


def check(*arguments: str) -> str:
    output = StringIO()
    call_command("check_migrations", *arguments, stdout=output)
    return output.getvalue()


def complaint(*arguments: str) -> str:
    """Return what is said of bad input."""
    with pytest.raises(CommandError) as raised:
        check(*arguments)
    assert raised.value.returncode == 2
    return str(raised.value)


def test_without_a_tag_there_is_no_release_and_it_says_so(project: Repository) -> None:
    project.git("tag", "--delete", "v1")
    assert check().startswith(
        "There is no tag, so no release to compare with: nothing was checked."
    )


def test_what_is_refused_is_said_with_what_to_write_instead(
    project: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    project.add("0002_drop", REMOVE)
    with pytest.raises(
        CommandError, match=r"^1 of 1 migrations refused: docs/migrations.md$"
    ) as it:
        call_command("check_migrations")
    assert it.value.returncode == 1
    output = capsys.readouterr().out
    assert output.splitlines()[:4] == [
        "1 migration to look at, compared with v1.",
        "wishlists.0002_drop",
        "  refused  drop-column · Remove field motto from animal",
        "           wishlists_animal.motto is still read and written by v1.",
    ]
    assert "           instead: Release A takes the field out of the models alone" in output


def test_the_reason_of_what_is_allowed_is_said(project: Repository) -> None:
    project.add("0002_drop", REMOVE, more=REASON)
    output = check("--since", "v1")
    assert "  allowed  drop-column · Remove field motto from animal\n" in output
    assert "           because: the zoo is closed while this is done\n" in output


def test_what_nobody_objects_to_is_said_too(project: Repository) -> None:
    project.add("0002_age", 'AddField("animal", "age", models.IntegerField(null=True))')
    assert check().splitlines()[1:] == ["wishlists.0002_age: nothing to object to"]


def test_bad_input_ends_with_2_and_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    assert complaint("--since", "v9") == "git knows no commit 'v9'."
    assert complaint("--database", "default").startswith("--database goes with --unapplied")
    unknown = complaint("--unapplied", "--database", "other")
    assert unknown == "The settings know no database 'other'."
    monkeypatch.setattr(check_migrations, "_project", lambda: Path("/"))
    assert complaint().startswith("/ is in no git checkout")
    monkeypatch.setenv("PATH", "/nonexistent")
    assert complaint().startswith("git is not installed")


def test_migrations_that_do_not_load_end_with_2(project: Repository) -> None:
    project.add("0002_lost", REMOVE, after="0001_gone")
    assert "0001_gone" in complaint("--since", "v1")


def test_from_the_shell_and_without_a_database() -> None:
    environment = os.environ | {"SHARDMART_ENV_FILE": str(ROOT / "tests" / "offline.env")}
    command = [sys.executable, str(ROOT / "src" / "manage.py"), "check_migrations"]
    unknown = subprocess.run(
        [*command, "--since", "there-is-no-such-release"],
        env=environment,
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert unknown.stderr.startswith("CommandError: ")
