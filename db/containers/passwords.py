"""The passwords of the database roles, from the environment that compose gives a container.

In production they are not those of .env.example: some of them reach no other process of ours.
"""

from __future__ import annotations

import os

from db.cluster.roles import ADMIN, APP, MONITOR, OWNER
from db.placeholders import left_as_they_were

VARIABLES = {
    ADMIN: "POSTGRES_PASSWORD",
    OWNER: "OWNER_PASSWORD",
    APP: "APP_PASSWORD",
    MONITOR: "MONITOR_PASSWORD",
}


class FromEnvironment:
    """The passwords; what is wrong with them is said at once, before anything is begun."""

    def __init__(self) -> None:
        missing = [name for name in VARIABLES.values() if not os.environ.get(name)]
        if missing:
            names = ", ".join(missing)
            raise SystemExit(f"These variables are missing: {names} (see .env.example).")
        if os.environ.get("ENVIRONMENT") == "production":
            _refuse_placeholders()

    def of(self, role: str) -> str:
        """Return the password of a role."""
        return os.environ[VARIABLES[role]]


def _refuse_placeholders() -> None:
    if names := left_as_they_were({name: os.environ[name] for name in VARIABLES.values()}):
        raise SystemExit(
            f"ENVIRONMENT=production, with values of .env.example: {', '.join(names)}."
        )
