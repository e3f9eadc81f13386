"""What stands in this repository in place of a secret, and so is known to everybody.

Read by the application, by what prepares the databases and by deployments: one list, and the
standard library alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

# Of .env.example, of tests/offline.env, of Django's startproject, and of the made-up customers.
PLACEHOLDERS = ("change-me", "changeme", "insecure", "offline", "dev-only", "shardmart-demo")
SECRET = re.compile(r"PASSWORD|SECRET|KEY|TOKEN|PRIVATE|CREDENTIAL")


def placeholder_in(value: str) -> str | None:
    """Return the placeholder that a secret contains, in any case; None for one of its own."""
    return next((word for word in PLACEHOLDERS if word in value.lower()), None)


def left_as_they_were(values: Mapping[str, str]) -> list[str]:
    """Return the names of the secrets among these variables that are placeholders still."""
    return sorted(n for n, value in values.items() if SECRET.search(n) and placeholder_in(value))
