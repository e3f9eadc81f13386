"""Settings of every process, from the environment alone."""

from datetime import timedelta

from shop.config.environment import load

env = load()

SECRET_KEY = env.required("SECRET_KEY")
DEBUG = env.bool("DEBUG", False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["127.0.0.1", "localhost"])
PUBLIC_URL = env.str("PUBLIC_URL", "http://127.0.0.1:8080")

ROOT_URLCONF = "shop.config.urls"
WSGI_APPLICATION = "shop.config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"
# Usernames are unique through accounts.Identity: a constraint on User would see one shard only.
SILENCED_SYSTEM_CHECKS = ["auth.E003"]
APPEND_SLASH = False  # a redirected POST loses its body; a wrong path is a 404 that says so
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"

INSTALLED_APPS = [
    "sharding.django.apps.ShardingConfig",  # before Django's own: its `migrate` knows the nodes
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.postgres",
    "rest_framework",
    "shop.core",
    "shop.accounts",
    "shop.catalog",
    "shop.inventory",
    "shop.carts",
    "shop.wishlists",
    "shop.orders",
    "shop.payments",
    "shop.reviews",
    "shop.checkout",
    "shop.seeding",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "shop.core.middleware.RequestId",
    "shop.core.middleware.BodyLimit",
    "django.middleware.http.ConditionalGetMiddleware",
]

# Databases. `default` is the coordinator behind its pooler; `node_1` … are the workers behind
# theirs; `coordinator` reaches the coordinator directly as the tables' owner, for DDL and COPY.

POOLED = {
    "CONN_MAX_AGE": 300,
    "CONN_HEALTH_CHECKS": True,
    # A named cursor would outlive the transaction in which the pooler lends the connection.
    "DISABLE_SERVER_SIDE_CURSORS": True,
}
DATABASES = {
    "default": env.database("DATABASE_URL") | POOLED,
    "coordinator": env.database("DATABASE_DIRECT_URL"),
}
for number, node in enumerate(env.databases("DATABASE_NODE_URLS"), start=1):
    DATABASES[f"node_{number}"] = node | POOLED
DATABASE_NAME = DATABASES["coordinator"]["NAME"]
DATABASE_ROUTERS = ["sharding.django.router.ShardRouter"]

# Tables of other packages that stay on the coordinator, and why that does no harm.
SHARDING_LOCAL_MODELS = {
    "contenttypes.ContentType": "read by Django's own commands, by no endpoint",
    "auth.Permission": "made by Django's migrations; staff have roles instead",
    "auth.Group": "made by Django's migrations; staff have roles instead",
    "auth.Group_permissions": "made by Django's migrations; staff have roles instead",
}

CACHES = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": env.str("REDIS_URL", "redis://127.0.0.1:6390/0"),
        "OPTIONS": {"SOCKET_CONNECT_TIMEOUT": 0.25, "SOCKET_TIMEOUT": 0.25},  # seconds
    }
}

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["shop.accounts.authentication.BearerToken"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["shop.core.parsers.StrictJSONParser"],
    "DEFAULT_PAGINATION_CLASS": "shop.core.pagination.KeysetPagination",
    "EXCEPTION_HANDLER": "shop.core.errors.exception_handler",
    "UNAUTHENTICATED_USER": "shop.accounts.authentication.Anonymous",
    "PAGE_SIZE": 20,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=env.int("ACCESS_TOKEN_MINUTES", 15)),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=env.int("REFRESH_TOKEN_DAYS", 14)),
    "ALGORITHM": "HS256",
    "USER_ID_CLAIM": "sub",
}

MAX_BODY_BYTES = env.int("MAX_BODY_BYTES", 1024 * 1024)
IDEMPOTENCY_KEY_LIFETIME = timedelta(hours=24)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
            "rename_fields": {"asctime": "time", "levelname": "level", "name": "logger"},
        }
    },
    "filters": {"request_id": {"()": "shop.core.logging.RequestIdFilter"}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "json",
            "filters": ["request_id"],
        }
    },
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", "INFO")},
}
