"""Rows that answers are made of: whoever writes them through the ORM tells the cache.

Rows are locked before they are written, and exactly those are written: what is said to be stale
is what was changed, whoever else moves products meanwhile. Where rows cannot be locked
(``distinct()``, aggregates) or there are very many of them, everything is stale.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Generic, TypeVar

from django.db import models, router

from sharding.django.transactions import atomic
from shop.catalog import freshness

M_co = TypeVar("M_co", bound=models.Model, covariant=True)

Rows = list[tuple[int, Any]]


class WatchedQuerySet(models.QuerySet[M_co, M_co], Generic[M_co]):
    """A queryset whose writes make answers stale.

    Attributes:
        shown: the column that tells, beside the id, which answers show a row.
    """

    shown: str

    def say_changed(self, rows: Rows) -> None:
        """Make stale what shows these rows: each with what `shown` was, or is now, or both."""
        raise NotImplementedError

    def say_created(self, rows: Rows) -> None:
        """Make stale what shows these new rows."""
        self.say_changed(rows)

    def update(self, **values: Any) -> int:
        return int(self._write(lambda rows: models.QuerySet.update(rows, **values), values))

    update.alters_data = True  # type: ignore[attr-defined]

    def delete(self) -> tuple[int, dict[str, int]]:
        found: tuple[int, dict[str, int]] = self._write(models.QuerySet.delete, {})
        return found

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]

    def bulk_create(self, objs: Iterable[Any], *args: Any, **options: Any) -> Any:
        rows = list(objs)
        self._for_write = True
        using = self.db
        with atomic(using=using, savepoint=False):
            replaced = self._replaced(rows, options.get("unique_fields"))
            made = super().bulk_create(rows, *args, **options)
            created = [(row.pk, getattr(row, self.shown)) for row in made]
            if replaced is None or any(key is None for key, _ in created):
                freshness.everything_changed(using=using)
            elif replaced:
                self.say_changed([*replaced, *created])
            else:
                self.say_created(created)
        return made

    def locked(self) -> Rows:
        """Lock the rows in the order of their ids; return them, but no more than are looked at."""
        some = self.order_by("pk").select_related(None).select_for_update(of=("self",))
        return list(some.values_list("pk", self.shown)[: freshness.MASS + 1])

    def _replaced(self, rows: list[Any], unique_fields: Collection[str] | None) -> Rows | None:
        """Lock the rows that an upsert writes over; None if that cannot be told."""
        if not unique_fields:
            return []
        if len(rows) > freshness.MASS or len(unique_fields) > 1:
            return None
        (name,) = unique_fields
        values = [getattr(row, name) for row in rows]
        return self._all().filter(**{f"{name}__in": values}).locked()

    def _write(self, write: Callable[[Any], Any], values: Mapping[str, Any]) -> Any:
        self._for_write = True
        using, query = self.db, self.query
        exact = not (query.is_sliced or query.distinct or query.group_by or query.combinator)
        with atomic(using=using, savepoint=False):
            rows = self.using(using).locked() if exact else []
            if not exact or len(rows) > freshness.MASS:
                freshness.everything_changed(using=using)
                return write(self)
            keys = [key for key, _ in rows]
            written = write(self.using(using).filter(pk__in=keys))
            if any(name.startswith(self.shown.removesuffix("_id")) for name in values):
                rows += self._all().filter(pk__in=keys).values_list("pk", self.shown)
            self.using(using).say_changed(rows)
        return written

    def _all(self) -> "WatchedQuerySet[M_co]":
        manager: Any = self.model._default_manager
        found: WatchedQuerySet[M_co] = manager.using(self.db)
        return found


class WatchedModel(models.Model):
    """A row whose `save` and `delete` make answers stale."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **options: Any) -> None:
        using = options.get("using") or router.db_for_write(type(self), instance=self)
        rows: Any = type(self)._default_manager.using(using)
        if self._state.adding and self.pk is None:
            super().save(*args, **options)
            rows.say_created([(self.pk, getattr(self, rows.shown))])
            return
        with atomic(using=using, savepoint=False):
            # Not what this object says of itself: others may have written since it was read.
            before = rows.filter(pk=self.pk).locked()
            super().save(*args, **options)
            after = rows.filter(pk=self.pk).values_list("pk", rows.shown)
            rows.say_changed([*before, *after])

    def delete(self, *args: Any, **options: Any) -> tuple[int, dict[str, int]]:
        using = options.get("using") or router.db_for_write(type(self), instance=self)
        rows: Any = type(self)._default_manager.using(using)
        with atomic(using=using, savepoint=False):
            before = rows.filter(pk=self.pk).locked()
            deleted = super().delete(*args, **options)
            rows.say_changed(before)
        return deleted


class CategoryRows(WatchedQuerySet[M_co]):
    """Categories."""

    shown = "ancestor_ids"

    def say_changed(self, rows: Rows) -> None:
        above: dict[int, set[int]] = {}
        for key, ancestors in rows:
            above.setdefault(key, set()).update(ancestors)
        freshness.categories_renamed_or_moved(above, using=self.db)

    def say_created(self, rows: Rows) -> None:
        freshness.categories_changed(using=self.db)


class ProductRows(WatchedQuerySet[M_co]):
    """Products."""

    shown = "category_id"

    def say_changed(self, rows: Rows) -> None:
        freshness.products_changed(rows, using=self.db)
