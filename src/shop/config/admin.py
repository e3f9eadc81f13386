"""Which site Django's admin shows, and how its log stands apart from the users."""

from typing import Any, cast

from django.contrib.admin.apps import AdminConfig
from django.db.models import DO_NOTHING


class StaffAdminConfig(AdminConfig):
    """Django's admin with our site, and a log that no constraint ties to a shard."""

    default_site = "shop.accounts.staff_site.StaffSite"

    def import_models(self) -> None:
        """Let the log name its users without a foreign key.

        The log stands on the coordinator and the users on shards, which no constraint can join.
        What somebody did also stays on record when their account is gone.
        """
        super().import_models()
        from django.contrib.admin.models import LogEntry  # noqa: PLC0415 - after the apps

        user = cast("Any", LogEntry._meta.get_field("user"))
        user.db_constraint = False
        user.remote_field.on_delete = DO_NOTHING
