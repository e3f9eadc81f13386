"""The passwords of the database roles, from the environment that compose gives a container."""

from __future__ import annotations

import os

from db.cluster.roles import ADMIN, APP, MONITOR, OWNER

VARIABLES = {
    ADMIN: "POSTGRES_PASSWORD",
    OWNER: "OWNER_PASSWORD",
    APP: "APP_PASSWORD",
    MONITOR: "MONITOR_PASSWORD",
}


class FromEnvironment:
    """The passwords; a missing one is said at once, before anything is begun."""

    def __init__(self) -> None:
        missing = [name for name in VARIABLES.values() if not os.environ.get(name)]
        if missing:
            names = ", ".join(missing)
            raise SystemExit(f"These variables are missing: {names} (see .env.example).")

    def of(self, role: str) -> str:
        """Return the password of a role."""
        return os.environ[VARIABLES[role]]
