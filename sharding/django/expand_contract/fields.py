"""Fields as the database sees them: type, reference, default. Nothing is connected to."""

from __future__ import annotations

import re
from typing import Any, TypeAlias, cast

from django.contrib.postgres.functions import TransactionNow
from django.db import connection, models
from django.db.models.expressions import CombinedExpression, ExpressionWrapper
from django.db.models.functions import Cast, Now

Field: TypeAlias = "models.Field[Any, Any]"
Model: TypeAlias = type[models.Model]

# An ALTER TABLE computes these once for all rows that there are, and writes none of them anew.
_ONCE = (models.Value, Now, TransactionNow, CombinedExpression, ExpressionWrapper, Cast)
_SIZED = re.compile(r"(varchar|numeric)\((\d+)(?:, (\d+))?\)")


def field_of(model: Model, name: str) -> Field:
    """Return one of a model's own fields."""
    return cast("Field", model._meta.get_field(name))


def has_column(field: Field) -> bool:
    """Tell a field that is stored in its table from a mere relation."""
    return field.db_parameters(connection)["type"] is not None


def kind_of(field: Field) -> str:
    """Return a column's type, with what else makes the table be written anew if it changes."""
    parameters = field.db_parameters(connection)
    collation = parameters.get("collation")
    suffix = field.db_type_suffix(connection)
    parts = [parameters["type"], f"COLLATE {collation}" if collation else "", suffix]
    return " ".join(part for part in parts if part) or "no column"


def check_of(field: Field) -> str | None:
    """Return the check that comes with a type, such as PositiveIntegerField's."""
    return field.db_parameters(connection)["check"]


def widens(was: Field, now: Field) -> bool:
    """Tell whether a column takes all that it took, and PostgreSQL only notes the new type."""
    old, new = kind_of(was), kind_of(now)
    before, after = _SIZED.fullmatch(old), _SIZED.fullmatch(new)
    if old == new:
        return True
    if before is None:
        return False
    if before[1] == "varchar" and new in {"varchar", "text"}:
        return True
    if after is None:
        return False
    return (before[1], before[3]) == (after[1], after[3]) and int(before[2]) <= int(after[2])


def is_altered(was: Field, now: Field) -> bool:
    """Tell whether Django does anything to the database for a change of a field."""
    return bool(connection.schema_editor()._field_should_be_altered(was, now))


def target_of(field: Field) -> tuple[str, str] | None:
    """Return table and column that a column's foreign key refers to; None without one."""
    if not (isinstance(field, models.ForeignKey) and field.db_constraint):
        return None
    target = field.target_field
    return target.model._meta.db_table, target.column


def through_of(field: Field) -> str | None:
    """Return the table that a many-to-many relation makes for itself; None if it makes none."""
    through = getattr(field.remote_field, "through", None) if field.many_to_many else None
    return through._meta.db_table if through is not None and through._meta.auto_created else None


def is_indexed(field: Field) -> bool:
    """Tell whether the column comes with an index, unique or not."""
    return bool(field.db_index or field.unique)


def is_computed_per_row(field: Field) -> bool:
    """Tell whether a new column has to be written into each row that there is."""
    if field.generated or field.db_type_suffix(connection):
        return True
    if not field.has_db_default():
        return False
    default = field._db_default_expression
    return not all(isinstance(part, _ONCE) for part in default.flatten())


def forbids_null(constraint: object, field: Field) -> bool:
    """Tell whether a constraint is the check that a column is not null, and nothing else."""
    if not isinstance(constraint, models.CheckConstraint):
        return False
    names = {field.name, field.attname}
    return constraint.condition in [models.Q((f"{name}__isnull", False)) for name in names]
