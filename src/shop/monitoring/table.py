"""The table of metrics in docs/monitoring.md, made of the code that counts them."""

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType
from typing import Any, NamedTuple

from prometheus_client.metrics import MetricWrapperBase

import sharding.django
import shop
from sharding.django.readings import Figure
from shop.core.markdown import replaced

# Nothing is counted there, and importing it has effects: tables, programs, another configuration.
LEFT_OUT = ("migrations", "management", "tracing", "wsgi")


class Row(NamedTuple):
    """A metric as the table names it."""

    name: str
    kind: str
    labels: tuple[str, ...]
    help: str
    module: str


def with_table(text: str) -> str:
    """Return a page with its table of metrics as the code has them now."""
    head = ["| metric | kind | labels | what it says | counted in |", "|---|---|---|---|---|"]
    lines = [
        f"| `{row.name}` | {row.kind} | {', '.join(f'`{label}`' for label in row.labels)} "
        f"| {row.help} | `{row.module}` |"
        for row in rows()
    ]
    return replaced(text, "metrics", "\n".join(head + lines))


def rows() -> list[Row]:
    """Return every metric of ours, by name."""
    found = {row.name: row for module in _modules() for row in _rows_of(module)}
    return [found[name] for name in sorted(found)]


def _modules() -> Iterator[ModuleType]:
    for package in (shop, sharding.django):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not set(module.name.split(".")) & set(LEFT_OUT):
                yield importlib.import_module(module.name)


def _rows_of(module: ModuleType) -> Iterator[Row]:
    for value in list(vars(module).values()):
        if isinstance(value, Figure) and value.name in _text_of(module):
            yield Row(value.name, "gauge", value.labels, value.help, module.__name__)
        elif isinstance(value, MetricWrapperBase) and not value._labelvalues:
            yield from _wrapped(value, module)


def _wrapped(metric: Any, module: ModuleType) -> Iterator[Row]:
    (family,) = metric.describe()
    if family.name in _text_of(module):  # elsewhere it is only imported
        name = f"{family.name}_total" if family.type == "counter" else family.name
        yield Row(name, family.type, metric._labelnames, family.documentation, module.__name__)


def _text_of(module: ModuleType) -> str:
    loader = module.__spec__.loader if module.__spec__ else None
    return str(loader.get_source(module.__name__) or "") if loader else ""  # type: ignore[attr-defined]
