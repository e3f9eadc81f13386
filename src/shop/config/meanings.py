"""What each variable of the settings means, for docs/configuration.md.

Invariant: every variable that the settings read stands in one of the two, and nothing else does
(tests/unit/config/test_configuration.py).
"""

# Whoever runs the shop decides: these reach both stacks (docs/configuration.md says how).
CHOSEN = {
    "ENVIRONMENT": "`local` or `production`, which refuses to start with what is unsafe",
    "SECRET_KEY": "signs tokens, sessions and cursors; 50 characters",
    "DEBUG": "error pages with source code; never in production",
    "ALLOWED_HOSTS": "names by which the shop is reached, parted by commas; others get a 400",
    "PUBLIC_URL": "the shop's address, for links in mails",
    "PAYMENT_WEBHOOK_SECRET": "what the gateway signs with; without it no webhook is believed",
    "SHARD_ROUTING": "a user's requests go straight to their node: `on` or `off`",
    "CATALOG_CACHE": "answers of the catalog from Redis: `on` or `off`",
    "CACHE_FRESH_SECONDS": "an answer is given as it is for so long",
    "CACHE_KEPT_SECONDS": "and while it is made anew for so long",
    "CACHE_NEGATIVE_SECONDS": "a 404 is kept for so long",
    "CATALOG_CACHE_CONTROL": "`Cache-Control` of what strangers read",
    "ACCESS_TOKEN_MINUTES": "an access token is good for so long, 15 at most",
    "REFRESH_TOKEN_DAYS": "one stays logged in for so long",
    "REFRESH_GRACE_SECONDS": "a refresh token that was used is answered again for so long",
    "THROTTLE_ANONYMOUS": (
        "requests of an address without a token: a number per `s`, `min`, `hour` or `day`, or `off`"
    ),
    "THROTTLE_USER": "requests of a user, likewise",
    "THROTTLE_LOGIN_ACCOUNT_ADDRESS": "wrong passwords for an account from an address",
    "THROTTLE_LOGIN_ADDRESS": "wrong passwords from an address",
    "THROTTLE_LOGIN_ACCOUNT": "wrong passwords for an account",
    "THROTTLE_TAKEN_ADDRESS": "taken names that an address is told of",
    "THROTTLE_EXPORT": "exports of a user's own data: each asks every shard",
    "MAX_BODY_BYTES": "a larger request gets a 413",
    "HSTS_SECONDS": "browsers insist on HTTPS for so long; in production alone",
    "TLS_IN_FRONT": "believe `X-Forwarded-Proto`: HAProxy sets it",
    "CORS_ALLOWED_ORIGINS": (
        "sites whose scripts may use the API, e.g. `https://shop.example`, parted by commas;"
        " in production `https` alone"
    ),
    "MAX_LINES": "lines of a cart, an order, a wishlist",
    "MAX_UNPAID_ORDERS": "of one user: they hold stock",
    "ABANDONED_CART_DAYS": "a cart untouched for so long is removed",
    "PAYMENT_WEBHOOK_TOLERANCE_SECONDS": "how far a webhook's signature may be from our clock",
    "CURRENCY": "of all prices",
    "PAYMENT_GATEWAY": "who takes the money: `sandbox` or `stripe`",
    "PAYMENT_GATEWAY_TIMEOUT_SECONDS": "for each step of asking it",
    "STRIPE_API_KEY": "Stripe's secret key, with `stripe`",
    "STRIPE_API_BASE": "another address of Stripe's API",
    "UNPAID_ORDER_MINUTES": "then an unpaid order is charged once more, or cancelled",
    "UNPAID_ORDER_LONGEST_MINUTES": "then it is cancelled although the gateway does not answer",
    "UNPAID_TRANSFER_DAYS": "the same where a bank is waited for",
    "WEBHOOKS_TO_LOOPBACK": "merchants' webhooks may go to this machine",
    "BROKER_URL": "the queues of tasks; database 1 of `REDIS_URL` unless it is given",
    "OUTBOX_RELAY": "events are handed over at once; `false`: by the sweep alone",
    "OUTBOX_SWEEP_AFTER_SECONDS": "then the sweep hands an event over",
    "OUTBOX_REDELIVER_SECONDS": "then an unanswered one goes again",
    "EMAIL_URL": "the mail server, e.g. `smtp+tls://user:password@smtp.example.com:587`",
    "MAIL_FROM": "the sender of all mails",
    "METRICS": "figures of requests and statements: `on` or `off`",
    "ACCESS_LOG": "a line for every request: `on` or `off`",
    "SLOW_REQUEST_MS": "a slower request is logged with its statements",
    "METRICS_REFRESH_SECONDS": "the exporter reads anew after so long",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "the collector of spans (OTLP over HTTP); empty: none",
    "OTEL_SERVICE_NAME": "what its spans call this service",
    "LOG_LEVEL": "of all that is logged: `DEBUG`, `INFO`, `WARNING` or `ERROR`",
}

# Addresses, paths and what goes with them: each stack sets its own.
BY_THE_STACK = {
    "RUN_DIR": "the directory of `make up`'s stack",
    "MAILPIT_URL": "where `smoke` reads mails, in containers",
    "DATABASE_URL": "the coordinator behind its pooler, as the application",
    "DATABASE_DIRECT_URL": "the coordinator itself, as the owner of the tables",
    "DATABASE_POOLER_PORT_OFFSET": "a node's pooler listens on its host, on its port plus this",
    "DATABASE_MONITOR_URL": "whom `/shards/` asks, and as which role",
    "REDIS_URL": "the cache",
    "STATE_REDIS_URL": (
        "counters and staff sessions, apart from the cache; database 2 of `REDIS_URL` unless it is"
        " given, which production refuses"
    ),
    "TRUSTED_PROXIES": "addresses or networks whose `X-Forwarded-For` is believed, its last entry",
    "SANDBOX_GATEWAY_URL": "the sandbox",
    "SANDBOX_GATEWAY_KEY": "what it asks for",
    "BEAT_SCHEDULE_FILE": "where beat notes what it has started",
    "PROMETHEUS_URL": "for `/status/`; none: this server's own figures",
    "PROMETHEUS_MULTIPROC_DIR": "where a program's processes put figures",
}
