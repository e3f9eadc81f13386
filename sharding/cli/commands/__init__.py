"""One module per command, named as the command is; its `command` is what the group runs."""

import importlib
from importlib.util import find_spec

import click

# In the order of `shardctl --help`.
SECTIONS: dict[str, tuple[str, ...]] = {
    "Look": (
        "status",
        "shards",
        "where",
        "skew",
        "tenants",
        "health",
        "connections",
        "activity",
        "locks",
    ),
    "Judge": ("verify", "drift", "advise", "lint"),
    "Prepare": ("preflight", "plan"),
    "Act": (
        "rebalance",
        "add-node",
        "drain",
        "remove-node",
        "update-node",
        "move",
        "isolate",
        "split",
        "quarantine",
    ),
    "Follow": ("jobs", "stop"),
    "Shell": ("completion",),
}


def names() -> list[str]:
    """Return the names of all commands."""
    listed = [name for section in SECTIONS.values() for name in section]
    return [name for name in listed if find_spec(_module(name))]


def load(name: str) -> click.Command:
    """Return a command; its module is imported only now."""
    command: click.Command = importlib.import_module(_module(name)).command
    return command


def _module(name: str) -> str:
    return f"{__name__}.{name.replace('-', '_')}"
