"""What somebody has to know who looks at the cluster."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sharding.django.console.sampling import NODE_SECONDS, Sample
from sharding.inspection.findings import Finding

# What the sample shows by itself, and sooner.
SHOWN_ALREADY = {"node-unreachable"}
CROWDED = 0.8  # of max_connections


class Notice(NamedTuple):
    """A sentence, how bad it is (error or warning), and what to do."""

    kind: str
    text: str
    remedy: str = ""


def notices(sample: Sample, findings: Iterable[Finding]) -> list[Notice]:
    """Return what stands out in the sample, and what the last inspection has found."""
    found = list(_of_sample(sample))
    down = any(notice.kind == "error" for notice in found)
    news = [one for one in findings if not (down and one.code in SHOWN_ALREADY)]
    return found + [Notice(one.severity.value, one.message, one.remedy) for one in news]


def _slow(sample: Sample, name: str) -> str:
    since = sample.slow[name]
    told = f"its figures are {sample.at - since:.0f} s old" if since else "it has no figures yet"
    return f"no answer within {NODE_SECONDS:.0f} s; {told}."


def _of_sample(sample: Sample) -> Iterator[Notice]:
    for node in sample.nodes:
        title = f"{'The coordinator' if node.is_coordinator else 'Node'} {node.name}"
        reading = sample.readings[node.name]
        if node.name in sample.slow:
            yield Notice("warning", f"{title}: {_slow(sample, node.name)}")
        elif isinstance(reading, str):
            said = reading.removeprefix(f"{node.name} ").rstrip(".")
            yield Notice("error", f"{title} {said}. Its users are answered when it is back.")
        elif reading.connections > CROWDED * reading.most_connections:
            used = f"{reading.connections} of {reading.most_connections}"
            yield Notice("warning", f"{title} has {used} connections in use.")
