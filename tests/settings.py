"""Settings of the tests: one database alias, straight to the coordinator, as its superuser.

The test database is made on every node of the stack's cluster (sharding.django.backend.creation).
"""

from secrets import token_hex

from shop.config.environment import load
from shop.config.settings import *  # noqa: F403
from shop.config.settings import CACHES, DATABASE_NAME, THROTTLE_RATES

env = load()

DATABASES = {
    "default": env.database("DATABASE_ADMIN_URL")
    | {"NAME": DATABASE_NAME, "TEST": {"NAME": env.str("TEST_DATABASE_NAME", "test_shardmart")}}
}
DATABASE_POOLER_PORT_OFFSET = 0  # the nodes themselves: the poolers know no superuser's role
SHARD_ROUTING = False  # tests/cluster/routing turns it on
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # quick on purpose

ACCESS_LOG = False  # but in the tests of it

# Each client of a test makes the middleware anew, and would list all static files: that takes
# longer than the test. They are found as they are asked for; tests of their headers list them.
WHITENOISE_AUTOREFRESH = True

# Counters of their own, and so high that only the tests of throttling are throttled.
for one in CACHES.values():
    one["KEY_PREFIX"] = f"test-{token_hex(8)}"
THROTTLE_RATES = dict.fromkeys(THROTTLE_RATES, "1000000/hour")

# What a test publishes stays in its transaction; those of the relay and of tasks say what they do.
OUTBOX_RELAY = False
CELERY_BROKER_URL = "memory://"
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, object] = {}

# Tests change rows in transactions that never commit; those of the cache turn it on.
CATALOG_CACHE = False
