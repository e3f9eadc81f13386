"""Settings of every process, from the environment alone.

What each variable means stands in `shop.config.meanings`, and from there in docs/configuration.md.
"""

from datetime import timedelta
from pathlib import Path

from corsheaders.defaults import default_headers
from django.core.exceptions import ImproperlyConfigured

from shop.config.broker import beside, transport_options
from shop.config.environment import load
from shop.config.production import refuse_unsafe
from shop.config.schedule import BEAT_SCHEDULE
from shop.payments.amounts import DECIMALS

env = load()

PRODUCTION = env.one_of("ENVIRONMENT", "local", "production") == "production"
SECRET_KEY = env.required("SECRET_KEY")
DEBUG = env.boolean("DEBUG", False)
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", ["127.0.0.1", "localhost"], production=[])
RUN_DIR = env.text("RUN_DIR", "")  # of the local stack
MAILPIT_URL = env.text("MAILPIT_URL", "")  # of the composed one: where `smoke` reads mails
PUBLIC_URL = env.text("PUBLIC_URL", "http://127.0.0.1:8080")
PAYMENT_WEBHOOK_SECRET = env.text("PAYMENT_WEBHOOK_SECRET", "")  # without it no webhook is believed

ROOT_URLCONF = "shop.config.urls"
WSGI_APPLICATION = "shop.config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"
# Usernames are unique through accounts.Identity: a constraint on User would see one shard only.
SILENCED_SYSTEM_CHECKS = ["auth.W004"]
APPEND_SLASH = False  # a redirected POST loses its body; a wrong path is a 404 that says so
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
FORMAT_MODULE_PATH = ["shop.config.formats"]  # of the staff pages: 24 hours, with their zone

INSTALLED_APPS = [
    "sharding.django.apps.ShardingConfig",  # before Django's own: its `migrate` knows the nodes
    "sharding.django.console.apps.ConsoleConfig",
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.postgres",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "corsheaders",
    "drf_spectacular",
    "drf_spectacular_sidecar",
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
    "shop.notifications",
    "shop.webhooks",
    "shop.privacy",
    "shop.seeding",
    "shop.monitoring",
    "shop.config.admin.StaffAdminConfig",  # behind the rooms: their templates come first
]

MIDDLEWARE = [
    "shop.core.observing.Observed",  # outermost: it measures all that follows
    "shop.catalog.api.caching.CatalogCache",  # strangers' reading ends here, if it is in Redis
    "shop.core.middleware.SecurityHeaders",  # every answer has them
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "shop.core.throttling.RateLimitFields",
    "shop.core.middleware.PlainRefusals",
    "shop.core.middleware.BodyLimit",
    "shop.core.conditional.ConditionalGet",
    # For /admin/ alone: the API knows neither sessions nor cookies (BearerToken).
    "shop.core.sessions.StaffSessions",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True  # straight from the packages: nothing has to be collected

# Databases. `default` is the coordinator behind its pooler; `coordinator` reaches it directly as
# the tables' owner, for DDL and COPY. Aliases of the other nodes are made from the shard map, as
# the nodes appear (sharding.django.node_aliases).

DATABASES = {
    "default": env.database("DATABASE_URL")
    | {
        "CONN_MAX_AGE": 300,
        "CONN_HEALTH_CHECKS": True,
        # A named cursor would outlive the transaction in which the pooler lends the connection.
        "DISABLE_SERVER_SIDE_CURSORS": True,
    },
    "coordinator": env.database("DATABASE_DIRECT_URL"),
}
# A node's pooler listens on the node's host, on its port plus this.
DATABASE_POOLER_PORT_OFFSET = env.integer("DATABASE_POOLER_PORT_OFFSET", 0)
SHARD_ROUTING = env.one_of("SHARD_ROUTING", "on", "off") == "on"
DATABASE_NAME = DATABASES["coordinator"]["NAME"]
DATABASE_ROUTERS = ["sharding.django.router.ShardRouter"]

# Whom the console at /shards/ asks as: a role that reads statistics, straight at the coordinator.
SHARD_MONITOR_DSN = env.text("DATABASE_MONITOR_URL", "")

# Tables of other packages that stay on the coordinator, and why that does no harm.
SHARDING_LOCAL_MODELS = {
    "contenttypes.ContentType": "read by Django's own commands and the admin, by no endpoint",
    "admin.LogEntry": "written by a handful of staff, read by the admin alone",
    "auth.Permission": "made by Django's migrations; staff have roles instead",
    "auth.Group": "made by Django's migrations; staff have roles instead",
    "auth.Group_permissions": "made by Django's migrations; staff have roles instead",
}

REDIS_URL = env.text("REDIS_URL", "redis://127.0.0.1:6390/0")
# Counters and staff sessions: in production a Redis of their own, which strangers cannot fill.
STATE_REDIS_URL = env.text("STATE_REDIS_URL", "") or beside(REDIS_URL, database=2)
CACHES = {
    name: {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": url,
        # Seconds. Redis answers in less than one thousandth; after three such waits in a row nobody
        # waits any more (shop.core.redis).
        "OPTIONS": {"SOCKET_CONNECT_TIMEOUT": 0.2, "SOCKET_TIMEOUT": 0.2},
    }
    for name, url in (("default", REDIS_URL), ("state", STATE_REDIS_URL))
}

# Finished answers in Redis (docs/caching.md). Fresh ones are given as they are; between
# CACHE_FRESH and CACHE_KEPT one asker makes it anew while the others get the old one. CACHE_KEPT
# bounds how long a write may stay unseen whose process died before it could say so.
CATALOG_CACHE = env.one_of("CATALOG_CACHE", "on", "off") == "on"
CACHE_FRESH = timedelta(seconds=env.number("CACHE_FRESH_SECONDS", 60))
CACHE_KEPT = timedelta(seconds=env.number("CACHE_KEPT_SECONDS", 120))
CACHE_NEGATIVE = timedelta(seconds=env.number("CACHE_NEGATIVE_SECONDS", 10))
# What browsers and the caches on the way may do with a stranger's answer; HAProxy's keeps it for
# s-maxage, at most a second.
CATALOG_CACHE_CONTROL = env.text(
    "CATALOG_CACHE_CONTROL", "public, max-age=5, s-maxage=1, stale-while-revalidate=10"
)

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
    "DEFAULT_THROTTLE_CLASSES": ["shop.core.throttling.RequestThrottle"],
    "DEFAULT_RENDERER_CLASSES": ["shop.core.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["shop.core.parsers.StrictJSONParser"],
    "DEFAULT_PAGINATION_CLASS": "shop.core.pagination.KeysetPagination",
    "EXCEPTION_HANDLER": "shop.core.errors.exception_handler",
    "DEFAULT_SCHEMA_CLASS": "shop.core.openapi.autoschema.Schema",
    "UNAUTHENTICATED_USER": "shop.accounts.authentication.Anonymous",
    "URL_FORMAT_OVERRIDE": None,  # `format` is a parameter that nobody knows, like any other
    "PAGE_SIZE": 20,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}

# The OpenAPI document; `make schema` renews docs/openapi.yaml.
SPECTACULAR_SETTINGS = {
    "TITLE": "Shardmart API",
    "VERSION": "0.1.0",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api/",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": ["shop.core.openapi.completion.complete"],
}

SIMPLE_JWT = {
    # Of somebody whose account ends or changes, a token is believed for as long, to read with.
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=env.integer("ACCESS_TOKEN_MINUTES", 15, most=15)),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=env.integer("REFRESH_TOKEN_DAYS", 14)),
    "ALGORITHM": "HS256",
    "USER_ID_CLAIM": "sub",
}

# How long after its first use a refresh token is answered again: to a second tab, or when the
# first answer got lost. It is the time in which a stolen one is not noticed.
REFRESH_GRACE = timedelta(seconds=env.integer("REFRESH_GRACE_SECONDS", 30))

# How often one may ask: a number per s, min, hour or day, or "off". Outside production the first
# two are wide enough to load the stack from one address. The others count what goes wrong,
# passwords and names that are taken (shop.accounts.attempts), and what asks all shards.
THROTTLE_RATES = {
    "anonymous": env.rate("THROTTLE_ANONYMOUS", "60000/min", production="600/min"),
    "user": env.rate("THROTTLE_USER", "6000/min", production="600/min"),
    "login_account_address": env.rate("THROTTLE_LOGIN_ACCOUNT_ADDRESS", "10/min"),
    "login_address": env.rate("THROTTLE_LOGIN_ADDRESS", "60/min"),
    "login_account": env.rate("THROTTLE_LOGIN_ACCOUNT", "100/hour"),
    "taken_address": env.rate("THROTTLE_TAKEN_ADDRESS", "30/hour"),
    "export": env.rate("THROTTLE_EXPORT", "10/hour"),
}
# Proxies, addresses or networks, whose X-Forwarded-For is believed (its last entry).
TRUSTED_PROXIES: list[str] = env.words("TRUSTED_PROXIES", ["127.0.0.1"])

MAX_BODY_BYTES = env.integer("MAX_BODY_BYTES", 1024 * 1024)
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY_BYTES
FILE_UPLOAD_HANDLERS: list[str] = []  # views take no files: what is sent is dropped, never stored
# The one that does, with a handler of its own in memory, and how many bytes it takes.
UPLOADS = {"/admin/inventory/import/": 10 * 1024 * 1024}

# Transport. Outside production nothing is redirected: the local stack speaks plain HTTP.
SECURE_SSL_REDIRECT = PRODUCTION
SECURE_REDIRECT_EXEMPT = [r"^health/", r"^metrics"]  # asked from inside, without TLS
hsts = env.integer("HSTS_SECONDS", 365 * 24 * 3600)
SECURE_HSTS_SECONDS = hsts if PRODUCTION else 0
# Not "no-referrer": browsers then send "Origin: null", and the forms of /admin/ fail their check.
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
if env.boolean("TLS_IN_FRONT", False):  # only then does nobody but the proxy set this header
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# Other origins: none, unless named.
CORS_ALLOWED_ORIGINS: list[str] = env.words("CORS_ALLOWED_ORIGINS", [])
CORS_URLS_REGEX = r"^/api/"
CORS_ALLOW_CREDENTIALS = False
CORS_PREFLIGHT_MAX_AGE = 600  # seconds
CORS_ALLOW_HEADERS = [
    *default_headers,
    "idempotency-key",
    "if-match",
    "if-none-match",
    "x-request-id",
]
CORS_EXPOSE_HEADERS = [
    "ETag",
    "Idempotent-Replayed",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "X-Request-ID",
]

# The staff pages. Sessions stand in Redis and messages in a cookie: neither has a table.
AUTHENTICATION_BACKENDS = ["shop.accounts.backends.StaffBackend"]
SESSION_ENGINE = "shop.core.sessions"
SESSION_CACHE_ALIAS = "state"
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"
MIGRATION_MODULES = {"admin": "shop.core.admin.migrations"}
LOGIN_URL = "/admin/login/"
SESSION_COOKIE_AGE = 8 * 3600  # seconds: a working day
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_NAME = "staff_session"
SESSION_COOKIE_PATH = CSRF_COOKIE_PATH = "/"  # /shards/ and /status/ too
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Strict"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
CSRF_COOKIE_HTTPONLY = True
# What a transaction's length, and so everybody's wait for its locks, depends on.
MAX_LINES = env.integer("MAX_LINES", 100)  # of a cart, an order, a wishlist
MAX_UNPAID_ORDERS = env.integer("MAX_UNPAID_ORDERS", 50)  # of one user: they hold stock
IDEMPOTENCY_KEY_LIFETIME = timedelta(hours=24)
ABANDONED_CART_LIFETIME = timedelta(
    days=env.integer("ABANDONED_CART_DAYS", 180)
)  # untouched for so long
# How far a webhook's signature may be from our clock; and how long its event is remembered.
PAYMENT_WEBHOOK_TOLERANCE = timedelta(seconds=env.integer("PAYMENT_WEBHOOK_TOLERANCE_SECONDS", 300))
WEBHOOK_EVENT_LIFETIME = timedelta(days=30)

# Payments. The sandbox is a program of this repository (src/sandbox_gateway).
CURRENCY = env.text("CURRENCY", "EUR")
if CURRENCY not in DECIMALS:
    raise ImproperlyConfigured(f"CURRENCY is {CURRENCY!r}, which is no currency of ISO 4217.")
PAYMENT_GATEWAY = env.one_of("PAYMENT_GATEWAY", "sandbox", "stripe")
PAYMENT_GATEWAY_TIMEOUT = timedelta(seconds=env.number("PAYMENT_GATEWAY_TIMEOUT_SECONDS", 5))
SANDBOX_GATEWAY_URL = env.text("SANDBOX_GATEWAY_URL", "http://127.0.0.1:8090")
SANDBOX_GATEWAY_KEY = env.text("SANDBOX_GATEWAY_KEY", "")
STRIPE_API_KEY = env.text("STRIPE_API_KEY", "")
STRIPE_API_BASE = env.text("STRIPE_API_BASE", "https://api.stripe.com")
# How long an unpaid order keeps its stock; a bank needs days.
UNPAID_ORDER_LIFETIME = timedelta(minutes=env.integer("UNPAID_ORDER_MINUTES", 30))
# A gateway that is away is waited for, but not for ever; for less than the outbox does.
UNPAID_ORDER_LONGEST = timedelta(minutes=env.integer("UNPAID_ORDER_LONGEST_MINUTES", 6 * 60))
UNPAID_TRANSFER_LIFETIME = timedelta(days=env.integer("UNPAID_TRANSFER_DAYS", 7))

# Merchants' webhooks: addresses on this machine are for development only.
WEBHOOKS_TO_LOOPBACK = env.boolean("WEBHOOKS_TO_LOOPBACK", True, production=False)
WEBHOOK_DELIVERY_LIFETIME = timedelta(days=30)

# Tasks (docs/asynchronous_processing.md). The broker is Redis, in a database of its own beside the
# cache's, unless BROKER_URL names another one, e.g. amqp://… for RabbitMQ. Results are not kept.
CELERY_BROKER_URL = env.text("BROKER_URL", "") or beside(REDIS_URL, database=1)
CELERY_BROKER_TRANSPORT_OPTIONS = transport_options(CELERY_BROKER_URL)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker waits for its broker as long as it takes
CELERY_BROKER_CONNECTION_TIMEOUT = 2  # seconds
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = ["shop.core.tasks.route"]
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False  # they may end; they run twice
CELERY_WORKER_MAX_TASKS_PER_CHILD = 10_000
CELERY_BEAT_SCHEDULE = BEAT_SCHEDULE
CELERY_BEAT_SCHEDULE_FILENAME = env.text("BEAT_SCHEDULE_FILE", "celerybeat-schedule")
CELERY_BEAT_SYNC_EVERY = 1  # written with each task sent: a beat that starts anew repeats none
CELERY_TIMEZONE = TIME_ZONE

OUTBOX_RELAY = env.boolean("OUTBOX_RELAY", True)  # off: the sweep alone hands events over
OUTBOX_SWEEP_AFTER = timedelta(seconds=env.integer("OUTBOX_SWEEP_AFTER_SECONDS", 5))
OUTBOX_REDELIVER_AFTER = timedelta(seconds=env.integer("OUTBOX_REDELIVER_SECONDS", 120))
OUTBOX_EVENT_LIFETIME = timedelta(days=30)  # of events that all have handled
# How long it is known that a mail was sent: a letter that is replayed later sends it again.
SENT_MAIL_LIFETIME = timedelta(days=365)

# Mail, e.g. EMAIL_URL=smtp+tls://user:password@smtp.example.com:587 (dj-email-url's forms).
vars().update(env.email("EMAIL_URL", "smtp://127.0.0.1:8025"))
EMAIL_TIMEOUT = 10  # seconds
MAIL_FROM = env.text("MAIL_FROM", "Shardmart <orders@shardmart.example>")
DEFAULT_FROM_EMAIL = MAIL_FROM

# What can be seen from outside (docs/monitoring.md). Each can be turned off to measure its cost.
METRICS = env.one_of("METRICS", "on", "off") == "on"
ACCESS_LOG = env.one_of("ACCESS_LOG", "on", "off") == "on"
# A slower one is logged with its queries.
SLOW_REQUEST = timedelta(milliseconds=env.integer("SLOW_REQUEST_MS", 500))
PROMETHEUS_URL = env.text("PROMETHEUS_URL", "")  # for /status/; without it, this server's figures
METRICS_REFRESH = timedelta(seconds=env.number("METRICS_REFRESH_SECONDS", 15))  # of the exporter
if directory := env.text("PROMETHEUS_MULTIPROC_DIR", ""):
    Path(directory).mkdir(parents=True, exist_ok=True)  # before any metric is defined
# Spans go to this collector; without one nothing of OpenTelemetry is even imported.
TRACING_ENDPOINT = env.text("OTEL_EXPORTER_OTLP_ENDPOINT", "")
TRACING_SERVICE = env.text("OTEL_SERVICE_NAME", "shardmart")
if TRACING_ENDPOINT:
    MIDDLEWARE.insert(1, "shop.core.tracing.Traced")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": "shop.core.logging.JSONFormatter",
            "fmt": "%(asctime)s %(levelname)s %(name)s %(message)s",
            "rename_fields": {"asctime": "time", "levelname": "level", "name": "logger"},
        }
    },
    "filters": {"context": {"()": "shop.core.logging.ContextFilter"}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "json",
            "filters": ["context"],
        }
    },
    "loggers": {
        # A line for every 404, beside the access line which says it already.
        "django.request": {"level": "ERROR"},
        # A line for every task begun and ended; ours has the figures too.
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        # A line for every request to a gateway, with its whole address.
        "httpx": {"level": "WARNING"},
    },
    "root": {
        "handlers": ["stderr"],
        "level": env.one_of("LOG_LEVEL", "INFO", "DEBUG", "WARNING", "ERROR"),
    },
}

if PRODUCTION:
    refuse_unsafe(globals())
