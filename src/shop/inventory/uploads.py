"""An export between its upload and its import: in the cache for half an hour, nowhere else.

Staff look at what an import would do before it is done. Who uploaded it knows its key, nobody else.
"""

import zlib
from datetime import timedelta
from io import BytesIO
from typing import Any, TypedDict
from uuid import uuid4

from django.core.cache import cache
from django.db import IntegrityError

from shop.catalog.shopify import Export
from shop.catalog.shopify_file import NotShopify, text_of
from shop.inventory.importing import Summary, import_rows
from shop.inventory.telling import sentences

KEPT = timedelta(minutes=30)
MOST_TOLD = 100  # rows that could not be loaded, or need a look


class Options(TypedDict):
    """How an export is read, and what is done beside."""

    encoding: str
    delimiter: str
    decimal: str
    archive_removed: bool
    adopt: bool


class Told(TypedDict):
    """What an import did, would do, or is about to do."""

    is_running: bool
    sentences: list[str]
    rows: list[tuple[int, str]]


def keep(data: bytes, options: Options) -> str:
    """Keep an upload; return its key."""
    key = uuid4().hex
    cache.set(_upload(key), (zlib.compress(data, 1), options), KEPT.total_seconds())
    return key


def preview(data: bytes, options: Options) -> Told:
    """Return what an import would do.

    Raises:
        NotShopify: it is no such export, or in another encoding.
    """
    return _told(_run(data, options, dry_run=True), options)


def begin(key: str) -> bool:
    """Say that an import is about to run; False if its upload is not there any more."""
    found = cache.get(_upload(key)) is not None
    if found:
        _tell(key, {"is_running": True, "sentences": ["Waiting for its turn."], "rows": []})
    return found


def load(key: str) -> None:
    """Import an upload, and tell how it goes."""
    upload = cache.get(_upload(key))
    if upload is None:
        return
    data, options = upload

    def tell(done: int, total: int) -> None:
        said = f"{done} of {total} products."
        _tell(key, {"is_running": True, "sentences": [said], "rows": []})

    try:
        told = _told(_run(zlib.decompress(data), options, tell=tell), options)
    except (NotShopify, IntegrityError) as error:
        told = {"is_running": False, "sentences": [f"Stopped: {error}."], "rows": []}
    cache.delete(_upload(key))
    _tell(key, told)


def outcome(key: str) -> Told | None:
    """Return how an import goes or went; None if nobody remembers it."""
    found: Told | None = cache.get(_outcome(key))
    return found


def _run(data: bytes, options: Options, **how: Any) -> Summary:
    try:
        text = text_of(BytesIO(data), options["encoding"])
        rows = Export(text, delimiter=options["delimiter"], decimal=options["decimal"])
        return import_rows(
            rows, archive_removed=options["archive_removed"], adopt=options["adopt"], **how
        )
    except UnicodeError as error:
        raise NotShopify(f"it is not {options['encoding']} text: {error}") from error


def _told(summary: Summary, options: Options) -> Told:
    rows = [*summary.warnings, *((row.line, row.reason) for row in summary.bad)]
    said = list(sentences(summary, archived=options["archive_removed"]))
    if summary.bad:
        said.append(f"Rows that could not be read: {len(summary.bad)}.")
    return {"is_running": False, "sentences": said, "rows": sorted(rows)[:MOST_TOLD]}


def _tell(key: str, told: Told) -> None:
    cache.set(_outcome(key), told, KEPT.total_seconds())


def _upload(key: str) -> str:
    return f"import:{key}:upload"


def _outcome(key: str) -> str:
    return f"import:{key}:told"
