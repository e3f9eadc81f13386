"""The figures that the programs of a stack show, as Prometheus reads them."""

import math
from collections.abc import Iterable

import httpx
from prometheus_client.parser import text_string_to_metric_families

Labels = tuple[tuple[str, str], ...]
Figures = dict[tuple[str, Labels], float]


def summed(addresses: Iterable[str]) -> Figures:
    """Return the figures of several servers, added up."""
    total: Figures = {}
    for address in addresses:
        text = httpx.get(f"{address}/metrics", timeout=30).raise_for_status().text
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                key = (sample.name, tuple(sorted(sample.labels.items())))
                total[key] = total.get(key, 0.0) + sample.value
    return total


def grown(before: Figures, after: Figures, name: str, *labels: str) -> dict[tuple[str, ...], float]:
    """Return by how much a figure grew, by the values of these labels; what did not is left out."""
    found: dict[tuple[str, ...], float] = {}
    for (sample, pairs), value in after.items():
        if sample == name:
            values = dict(pairs)
            key = tuple(values[label] for label in labels)
            found[key] = found.get(key, 0.0) + value - before.get((sample, pairs), 0.0)
    return {key: value for key, value in found.items() if not math.isclose(value, 0.0)}
