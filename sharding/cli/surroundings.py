"""What the surroundings say: environment variables, and the env file of the local stack."""

from __future__ import annotations

import os
from pathlib import Path

from sharding.errors import InvalidInput

ENV_FILE = Path(".run/local/env")


def lookup(name: str) -> str | None:
    """Return a variable of the environment, else of the local stack's env file."""
    return os.environ.get(name) or _of_file().get(name)


def dsn(given: str | None) -> str:
    """Return the DSN to use: the one given, else SHARDCTL_DSN.

    Raises:
        InvalidInput: nobody names one.
    """
    found = given or lookup("SHARDCTL_DSN")
    if not found:
        raise InvalidInput(
            "No cluster is named: give --dsn, set SHARDCTL_DSN, or start the local stack (make up)."
        )
    return found


def text_prefixes() -> list[str]:
    """Return what texts may begin with where they are stored: SHARDCTL_TEXT_PREFIXES."""
    return [prefix for prefix in (lookup("SHARDCTL_TEXT_PREFIXES") or "").split(",") if prefix]


def _of_file() -> dict[str, str]:
    path = _env_file()
    if path is None:
        return {}
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return {}
    pairs = (line.partition("=") for line in lines if "=" in line and not line.startswith("#"))
    return {name.strip(): value for name, _, value in pairs}


def _env_file() -> Path | None:
    named = os.environ.get("SHARDMART_ENV_FILE")
    if named:
        return Path(named)
    here = Path.cwd()
    # The checkout that we are run from comes last: a DBA may stand anywhere.
    places = (here, *here.parents, Path(__file__).resolve().parents[2])
    return next((place / ENV_FILE for place in places if (place / ENV_FILE).exists()), None)
