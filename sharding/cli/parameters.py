"""What users type: sizes, tables, nodes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import click

from sharding.cluster import Node
from sharding.errors import InvalidInput
from sharding.inspection.placements import Layout

_UNITS = {"": 1, "b": 1, "kb": 2**10, "mb": 2**20, "gb": 2**30, "tb": 2**40}


class Bytes(click.ParamType[int]):
    """A size: 500MB, 1.5GB, or plain bytes; steps of 1024, as in postgresql.conf."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the bytes."""
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]*)\s*", str(value))
        if found is None or found[2].lower() not in _UNITS:
            self.fail(f"{value!r} is no size: write 500MB, 1.5GB or a number of bytes.", param, ctx)
        return int(float(found[1]) * _UNITS[found[2].lower()])


BYTES = Bytes()


def table_name(layout: Layout, given: str) -> str:
    """Return the name as Citus knows it; `public.` may be written or left out.

    Raises:
        UnknownTable: with the names that there are.
    """
    names = [table.name for table in layout.tables]
    for candidate in (given, given.removeprefix("public."), given.lower()):
        if candidate in names:
            return candidate
    return layout.table(given).name


def group_ids(layout: Layout, tables: Iterable[str]) -> list[int]:
    """Return the colocation groups of some distributed tables."""
    found = [layout.table(table_name(layout, name)) for name in tables]
    for table in found:
        if table.kind != "distributed":
            raise InvalidInput(
                f"{table.name} is a {table.kind} table, which has no shards to move."
            )
    return sorted({table.colocation_id for table in found})


def node_named(nodes: Iterable[Node], given: str) -> Node:
    """Return a node by host:port, or by its port alone where that is unambiguous.

    Raises:
        InvalidInput: no node of that name, with those that there are.
    """
    listed = list(nodes)
    found = [node for node in listed if given in {node.name, str(node.port), node.host}]
    if len(found) == 1:
        return found[0]
    names = ", ".join(node.name for node in listed)
    what = "names several nodes" if found else "is no node of the cluster"
    raise InvalidInput(f"{given} {what}; the nodes are {names}.")


def address(text: str) -> tuple[str, int]:
    """Return host and port of HOST:PORT.

    Raises:
        InvalidInput: it is not written so.
    """
    host, _, port = text.rpartition(":")
    if not host or not port.isascii() or not port.isdigit():
        raise InvalidInput(f"{text} is not HOST:PORT.")
    return host, int(port)
