"""Which shardctl this is."""

from __future__ import annotations

import importlib.metadata
import tomllib
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"


def version() -> str:
    """Return the version: of the checkout that it is run from, else of the installed package."""
    try:
        version_: str = tomllib.loads(PROJECT.read_text())["project"]["version"]
    except OSError:
        return importlib.metadata.version("shardmart")
    return version_
