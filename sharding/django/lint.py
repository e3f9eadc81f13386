"""What in the models would not survive distribution, or a move of shards: for `shardctl lint`.

The system checks (E001–E010) refuse what Citus would refuse. This module asks them of unmanaged
models too, and warns of what works today and hurts when shards are to be moved, split or routed.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import django
from django.apps import apps
from django.core.exceptions import FieldDoesNotExist, ImproperlyConfigured
from django.db import connection, models

from sharding.django.checks import problems
from sharding.django.placement import Distributed, Reference, column_of, placement_of
from sharding.errors import InvalidInput, InvalidKey, UnsupportedKeyType
from sharding.hashing import hash_key
from sharding.inspection.findings import Finding, Severity

Model = type[models.Model]
Warnings = Iterator[tuple[str, str, str]]


def set_up(settings: str | None, path: Path) -> None:
    """Prepare Django with a settings module.

    Raises:
        InvalidInput: there is no such module, or it does not load.
    """
    for directory in (path / "src", path):
        if str(directory) not in sys.path:
            sys.path.insert(0, str(directory))
    if settings:
        os.environ["DJANGO_SETTINGS_MODULE"] = settings
    if "DJANGO_SETTINGS_MODULE" not in os.environ:
        raise InvalidInput(
            "No Django settings are named: give --settings, or set DJANGO_SETTINGS_MODULE."
        )
    module = os.environ["DJANGO_SETTINGS_MODULE"]
    try:
        importlib.import_module(module)
        django.setup()
    except (ImportError, ImproperlyConfigured) as error:
        raise InvalidInput(f"The settings {module} do not load: {error}") from error


def inspect() -> list[Finding]:
    """Return what is wrong with all installed models, errors first."""
    candidates = [
        model
        for model in apps.get_models(include_auto_created=True)
        if not model._meta.proxy and (model._meta.managed or placement_of(model))
    ]
    errors = [
        Finding(
            code=code,
            severity=Severity.ERROR,
            message=f"{model._meta.label}: {message}",
            remedy="Citus would refuse it, or its shards could never be changed again.",
        )
        for model in candidates
        for code, message in problems(model)
    ]
    broken = {finding.message.partition(":")[0] for finding in errors}
    warnings = [
        Finding(
            code=code,
            severity=Severity.WARNING,
            message=f"{model._meta.label}: {message}",
            remedy=remedy,
        )
        for model in candidates
        if model._meta.label not in broken
        for rule in _RULES
        for code, message, remedy in rule(model)
    ]
    return errors + warnings


def declared() -> dict[str, tuple[str, str | None]]:
    """Return what the models declare: placement and shard key by table name."""
    found: dict[str, tuple[str, str | None]] = {}
    for model in apps.get_models(include_auto_created=True):
        placement = placement_of(model)
        if model._meta.proxy or placement is None:
            continue
        kind = type(placement).__name__.lower()
        key = _key_column(model, placement) if isinstance(placement, Distributed) else None
        found[model._meta.db_table] = (kind, key)
    return found


def _key_column(model: Model, placement: Distributed) -> str:
    """Return the column of the shard key; a misspelt one (E002 names it) as it is written."""
    try:
        return column_of(model, placement.by)
    except FieldDoesNotExist:
        return placement.by


def _key_type(model: Model) -> Warnings:
    placement = placement_of(model)
    if not isinstance(placement, Distributed):
        return
    key = cast("models.Field[Any, Any]", model._meta.get_field(placement.by))
    kind = (key.db_type(connection) or "").partition("(")[0]
    if kind in {"integer", "smallint"}:
        yield (
            "W101",
            f"is distributed by {key.name}, {kind}.",
            "Use bigint: the type of a shard key is fixed, so one that runs out is never widened.",
        )
    elif not _is_routed(kind):
        yield (
            "W102",
            f"is distributed by {key.name}, {kind}, whose hash only the server can compute.",
            "Queries then go through the coordinator; uuid, bigint and text are routed directly.",
        )
    collation = getattr(key, "db_collation", None)
    if collation:
        yield (
            "W103",
            f"is distributed by {key.name} with the collation {collation}.",
            "A collation that is not deterministic hashes otherwise: keep the default one.",
        )


def _is_routed(kind: str) -> bool:
    try:
        hash_key("", "character varying" if kind == "varchar" else kind)
    except UnsupportedKeyType:
        return False
    except InvalidKey:
        pass
    return True


def _key_position(model: Model) -> Warnings:
    placement = placement_of(model)
    names = list(getattr(model._meta.pk, "field_names", ()))
    if isinstance(placement, Distributed) and placement.by in names[1:]:
        message = f"has the primary key ({', '.join(names)}), which begins otherwise."
        yield "W104", message, "Put the shard key first: the index then serves every query of it."


def _small_identity(model: Model) -> Warnings:
    if not isinstance(placement_of(model), Reference):
        return
    for field in model._meta.local_fields:
        if field.get_internal_type() in {"AutoField", "SmallAutoField"}:
            message = f"has the identity {field.name} of 32 bits: only the coordinator can insert."
            yield "W105", message, "Use BigAutoField: each node has a range of its own then."


def _unmanaged(model: Model) -> Warnings:
    placement = placement_of(model)
    if not model._meta.managed and isinstance(placement, Distributed):
        yield (
            "W106",
            "is unmanaged: whether its table has a primary key is for the database to say.",
            "Without one its whole group moves only while writes are blocked: shardctl preflight.",
        )


_RULES: tuple[Callable[[Model], Warnings], ...] = (
    _key_type,
    _key_position,
    _small_identity,
    _unmanaged,
)
