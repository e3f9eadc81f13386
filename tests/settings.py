"""Settings of the tests: one database alias, straight to the coordinator, as its superuser.

The test database is made on every node of the stack's cluster (sharding.django.backend.creation).
"""

from shop.config.settings import *  # noqa: F403
from shop.config.settings import DATABASE_NAME, env

DATABASES = {
    "default": env.database("DATABASE_ADMIN_URL")
    | {"NAME": DATABASE_NAME, "TEST": {"NAME": env.str("TEST_DATABASE_NAME", "test_shardmart")}}
}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # quick on purpose
