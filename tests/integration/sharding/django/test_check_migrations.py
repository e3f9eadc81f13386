"""What is new on a live database is what it has not had yet."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

pytestmark = pytest.mark.django_db


def _check() -> str:
    output = StringIO()
    call_command("check_migrations", "--unapplied", stdout=output)
    return output.getvalue()


def test_a_database_that_is_up_to_date_has_nothing_to_look_at() -> None:
    assert _check() == "0 migrations to look at, compared with the running release.\n"


def test_what_was_not_applied_is_new() -> None:
    MigrationRecorder(connection).record_unapplied("core", "0002_outbox_request_id")
    assert _check().splitlines() == [
        "1 migration to look at, compared with the running release.",
        "core.0002_outbox_request_id: nothing to object to",
    ]


def test_migrations_of_packages_are_looked_at_as_well() -> None:
    MigrationRecorder(connection).record_unapplied("contenttypes", "0002_remove_content_type_name")
    with pytest.raises(CommandError, match="1 of 1 migrations refused"):
        _check()


def test_a_database_without_any_table_is_used_by_nobody() -> None:
    MigrationRecorder(connection).Migration.objects.all().delete()
    assert _check().startswith("The database has had no migration, so nothing runs on it")
