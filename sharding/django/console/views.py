"""The pages of the console. They show a sample that is at most `FRESH` seconds old."""

from __future__ import annotations

import threading
import time
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views import View

from sharding.django.console import figures, picture, traffic
from sharding.django.console.figures import Block
from sharding.django.console.inspecting import Inspector
from sharding.django.console.notices import notices
from sharding.django.console.sampling import Sample, take
from sharding.django.console.traffic import Traffic
from sharding.errors import CitusMissing, ClusterNotAvailable, ShardingError
from sharding.inspection.estimates import total

# Whoever looks within this time sees the same: ten people cost a process no more than one.
FRESH = 1.5  # seconds

_inspector = Inspector()
_lock = threading.Lock()
_last: tuple[Sample, Traffic] | None = None


class Unavailable(Exception):
    """There is nothing to show; its text says why."""

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.status = status


def current() -> tuple[Sample, Traffic]:
    """Return the newest sample of this process; Unavailable when there is none to be had."""
    global _last  # noqa: PLW0603  (one for all threads of the process)
    with _lock:
        if _last is None or not 0 <= time.time() - _last[0].at < FRESH:
            sample = _taken().after(_last[0] if _last else None)
            _last = sample, traffic.measure(sample.at, figures.counts(sample))
        return _last


def _dsn() -> str:
    return getattr(settings, "SHARD_MONITOR_DSN", "")


def _taken() -> Sample:
    if not _dsn():
        raise Unavailable("SHARD_MONITOR_DSN is not set: there is nobody to ask.", 503)
    try:
        return take(_dsn())
    except CitusMissing:
        sentence = "This is one PostgreSQL without the Citus extension: there are no shards."
        raise Unavailable(sentence, 200) from None
    except ClusterNotAvailable as error:
        raise Unavailable(str(error), 503) from None
    except ShardingError as error:
        raise Unavailable(f"The cluster cannot be shown: {error}", 503) from None


class ConsoleView(View):
    """A page of the console, inside the project's own frame."""

    frame = "sharding/console/frame.html"
    template = ""

    def get(self, request: HttpRequest, **arguments: Any) -> HttpResponse:
        """Show the page, or one sentence that says why there is nothing to show."""
        try:
            context = self.context(request, **arguments)
        except Unavailable as error:
            context = {"frame": self.frame, "sentence": str(error)}
            return render(request, self.nothing, context, status=error.status)
        return render(request, self.template, {"frame": self.frame, **context})

    nothing = "sharding/console/nothing.html"

    def context(self, request: HttpRequest, **arguments: Any) -> dict[str, Any]:
        """Return what the template shows."""
        raise NotImplementedError


class Overview(ConsoleView):
    """The nodes of a colocation group as columns of blocks."""

    template = "sharding/console/overview.html"

    def context(self, request: HttpRequest, **arguments: Any) -> dict[str, Any]:
        sample, rates = current()
        known = figures.groups(sample)
        if not known:
            raise Unavailable("No table is distributed yet: there are no shards.", 200)
        group = _chosen(request, known)
        found = figures.blocks(sample, group.id, rates)
        top = figures.hottest(found)
        return {
            "sample": sample,
            "groups": known,
            "group": group,
            "blocks": found,
            "columns": picture.draw(figures.columns(sample, found), top),
            "legend": picture.legend(top),
            "window": round(rates.seconds),
            "totals": _totals(found),
            "moves": [move for move in sample.moves if move.is_running],
            "waiting": sum(not move.is_running for move in sample.moves),
            "keys": figures.heavy_keys(sample, group.id, found),
            "keys_are_shown": figures.keys_are_shown(sample, group.id),
            "notices": notices(sample, _inspector.findings(_dsn())),
        }


class Picture(Overview):
    """The part of the overview that is renewed every other second."""

    template = "sharding/console/picture.html"
    nothing = "sharding/console/sentence.html"


class ShardPage(ConsoleView):
    """One block: its tables, what they weigh, who works on it, and the way there."""

    template = "sharding/console/shard.html"

    def context(self, request: HttpRequest, **arguments: Any) -> dict[str, Any]:
        sample, rates = current()
        for group in figures.groups(sample):
            found = figures.blocks(sample, group.id, rates)
            for block in found:
                if any(part.shard == arguments["shard"] for part in block.parts):
                    return {
                        "sample": sample,
                        "group": group,
                        "piece": block,  # in a template that extends another, `block` is taken
                        "window": round(rates.seconds),
                        "part": _part_of_all(block),
                        "psql": _psql(sample, block),
                        "keys": [
                            key
                            for key in figures.heavy_keys(sample, group.id, found)
                            if key.block == block.id
                        ],
                    }
        raise Http404("No distributed table has such a shard.")


def _chosen(request: HttpRequest, known: list[figures.Group]) -> figures.Group:
    wanted = request.GET.get("group", "")
    return next((group for group in known if str(group.id) == wanted), known[0])


def _totals(found: list[Block]) -> dict[str, Any]:
    known = [block.rate for block in found if block.rate]
    return {
        "size": sum(block.size or 0 for block in found),
        "rows": total([block.rows for block in found]),
        "reads": sum(rate.reads for rate in known),
        "writes": sum(rate.writes for rate in known),
    }


def _part_of_all(block: Block) -> float:
    """Return the per cent of all hashes that fall into a block."""
    return 100 * (block.highest - block.lowest + 1) / 2**32


def _psql(sample: Sample, block: Block) -> str:
    host, _, port = block.node.rpartition(":")
    return f'psql "host={host} port={port} dbname={sample.database}"'
