"""How related rows are asked for so that Citus has little to plan."""

from typing import Any

from django.db.models.expressions import ColPairs  # type: ignore[attr-defined]
from django.db.models.fields.related_lookups import RelatedIn, get_normalized_value
from django.db.models.lookups import Exact, In
from django.db.models.sql.where import WhereNode


class InOneShard(RelatedIn):
    """Asks for related rows of one shard key by ``key = x AND id IN (…)``.

    Django's own ``(key, id) IN ((x, …), (x, …))``, as sent by prefetch_related, goes to the same
    shard, but costs Citus's fast path: the planner runs twice.
    """

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        if isinstance(self.lhs, ColPairs) and self.rhs_is_direct_value():
            values = [get_normalized_value(value, self.lhs) for value in self.rhs]
            keys = {key for key, *_ in values}
            if len(keys) == 1 and len(self.lhs) == 2:
                key_column, id_column = self.lhs.get_cols()
                same: Any = Exact(key_column, keys.pop())
                one_of: Any = In(id_column, [number for _, number in values])
                return compiler.compile(WhereNode([same, one_of]))
        return super().as_sql(compiler, connection)
