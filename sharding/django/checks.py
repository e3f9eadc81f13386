"""System checks that refuse, before any migration runs, what Citus would refuse or regret."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, cast

from django.apps import apps
from django.contrib.postgres.constraints import ExclusionConstraint
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import FieldDoesNotExist
from django.db import connection, models

from sharding.django.placement import (
    Distributed,
    Local,
    Reference,
    column_of,
    group_of,
    placement_of,
)

Model = type[models.Model]
Found = Iterator[tuple[str, str]]
HINT = "use ShardForeignObject and CompositeForeignKey"


@register("sharding")
def check_placements(app_configs: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Check every model of the given apps, or of all."""
    configs = app_configs if app_configs is not None else apps.get_app_configs()
    candidates = [m for config in configs for m in config.get_models(include_auto_created=True)]
    return [
        Error(f"{model._meta.label}: {message}", obj=model, id=f"sharding.{code}")
        for model in candidates
        if model._meta.managed and not model._meta.proxy
        for code, message in problems(model)
    ]


def problems(model: Model) -> Found:
    """Yield code and sentence of everything that Citus would refuse in a model."""
    placement = placement_of(model)
    if placement is None:
        yield "E001", "declares no placement (Distributed, Reference or Local)."
        return
    if isinstance(placement, Distributed):
        try:
            key = model._meta.get_field(placement.by)
        except FieldDoesNotExist:
            yield "E002", f"is distributed by {placement.by!r}, which is no field of it."
            return
        if not _founder_is_distributed(placement):
            yield "E010", f"joins the shards of {placement.colocate_with}, which has none."
            return
        for rule in _RULES:
            yield from rule(model, cast("models.Field[Any, Any]", key))
    yield from _foreign_keys(model)


def _founder_is_distributed(placement: Distributed) -> bool:
    if placement.colocate_with is None:
        return True
    try:
        founder = apps.get_model(placement.colocate_with)
    except (LookupError, ValueError):
        return False
    return isinstance(placement_of(founder), Distributed)


def _uniqueness(model: Model, key: "models.Field[Any, Any]") -> Found:
    """Citus checks uniqueness shard by shard, so every unique index must contain the key."""
    for fields in _unique_sets(model):
        columns = {column_of(model, name) for name in fields}
        if key.column not in columns:
            listed = ", ".join(sorted(fields)) or "an expression"
            yield "E003", f"is unique over {listed} without {key.column}."


def _unique_sets(model: Model) -> Iterator[set[str]]:
    pk = model._meta.pk
    yield set(getattr(pk, "field_names", None) or [pk.name])
    for field in model._meta.local_fields:
        if field.unique and not field.primary_key:
            yield {field.name}
    yield from (set(names) for names in model._meta.unique_together)
    for constraint in model._meta.constraints:
        if isinstance(constraint, models.UniqueConstraint):
            yield set(constraint.fields) | _plain_names(constraint.expressions)
        elif isinstance(constraint, ExclusionConstraint):
            yield {str(name) for name, operator in constraint.expressions if operator == "="}


def _plain_names(expressions: Iterable[Any]) -> set[str]:
    return {expression.name for expression in expressions if isinstance(expression, models.F)}


def _key_field(model: Model, key: "models.Field[Any, Any]") -> Found:
    if key.null:
        yield "E004", f"is distributed by {key.name}, which may be null."
    group = group_of(model)
    root = apps.get_model(group) if group else model
    placement = cast("Distributed", placement_of(root))
    root_key = cast("models.Field[Any, Any]", root._meta.get_field(placement.by))
    if _type(root_key) != _type(key):
        message = (
            f"is distributed by a {_type(key)}, but {group} by a {_type(root_key)}: "
            "shards join only over equal types."
        )
        yield "E005", message


def _type(field: "models.Field[Any, Any]") -> str:
    target: Any = field.target_field if isinstance(field, models.ForeignKey) else field
    kind = target.rel_db_type if isinstance(target, models.AutoField) else target.db_type
    return kind(connection) or ""


def _identity(model: Model, key: "models.Field[Any, Any]") -> Found:
    """A distributed table with an identity column can never change its shard count again."""
    for field in model._meta.local_fields:
        if isinstance(field, models.AutoField | models.BigAutoField | models.SmallAutoField):
            yield "E006", f"has the identity column {field.name}; make ids in the application."


def _many_to_many(model: Model, key: "models.Field[Any, Any]") -> Found:
    for field in model._meta.local_many_to_many:
        through = field.remote_field.through
        if through is not None and through._meta.auto_created:
            yield "E007", f"has {field.name} with an automatic table, which holds no shard key."


def _foreign_keys(model: Model) -> Found:
    for field in model._meta.local_fields:
        if isinstance(field, models.ForeignKey) and getattr(field, "db_constraint", True):
            yield from _foreign_key(model, field, cast("Model", field.related_model))


def _foreign_key(model: Model, field: "models.ForeignKey[Any, Any]", other: Model) -> Found:
    here, there = placement_of(model), placement_of(other)
    target = other._meta.label
    if isinstance(here, Local) or there is None:
        return
    if isinstance(there, Local):
        yield "E008", f"refers by {field.name} to {target}, which stands on the coordinator alone."
    elif isinstance(here, Reference) and isinstance(there, Distributed):
        yield "E008", f"is on every node, but refers by {field.name} to the distributed {target}."
    elif isinstance(here, Distributed) and isinstance(there, Distributed):
        if group_of(model) != group_of(other):
            yield "E008", f"refers by {field.name} out of its group to {target}."
        elif field.column != column_of(model, here.by):
            yield "E008", f"refers by {field.name} to {target} without the shard key ({HINT})."
        elif field.remote_field.on_delete in (models.SET_NULL, models.SET_DEFAULT):
            yield "E009", f"would lose its shard key when {target} is deleted."


_RULES: tuple[Callable[[Model, "models.Field[Any, Any]"], Found], ...] = (
    _uniqueness,
    _key_field,
    _identity,
    _many_to_many,
)
