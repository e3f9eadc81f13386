"""What the cluster is made of, as far as an answer has to say so."""

from django.db import connections, models, router

from sharding.django.operations import HAS_CITUS
from sharding.django.placement import Distributed, placement_of

SHARDS = "SELECT count(*) FROM pg_dist_shard WHERE logicalrelid = %s::regclass"


def shard_count(model: type[models.Model]) -> int:
    """Return how many shards a query over the whole table asks; 1 where it is not distributed."""
    if not isinstance(placement_of(model), Distributed):
        return 1
    with connections[router.db_for_read(model)].cursor() as cursor:
        cursor.execute(HAS_CITUS)
        if cursor.fetchone() is None:
            return 1
        cursor.execute(SHARDS, [model._meta.db_table])
        (count,) = cursor.fetchone()
    return int(count)
