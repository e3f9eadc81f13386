"""A production process with unsafe settings does not start, and says everything that is wrong."""

import os
import re
import subprocess
import sys
from pathlib import Path
from tempfile import NamedTemporaryFile

import pytest
import yaml
from dotenv import dotenv_values

from db.containers.passwords import VARIABLES
from db.placeholders import SECRET, left_as_they_were

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = dotenv_values(ROOT / ".env.example")
PLACED = sorted(name for name, value in EXAMPLE.items() if SECRET.search(name) and value)
SAFE = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": "k7Qz-41Vx_9pLmT3uYbN8sRwJc6FhGa2XtEo0iKqUvZyMlPnBr5S",
    "DEBUG": "false",
    "ALLOWED_HOSTS": "shop.example.com,127.0.0.1",
    "PUBLIC_URL": "https://shop.example.com",
    "PAYMENT_WEBHOOK_SECRET": "whsec_0123456789abcdef0123456789abcdef",
    "PAYMENT_GATEWAY": "stripe",
    "STRIPE_API_KEY": "sk_live_none",
    "STATE_REDIS_URL": "redis://127.0.0.1:6391/0",
    "DATABASE_URL": "postgresql://shardmart_app:a0c1d2e3f4a5b6c7d8e9f0a1b2c3d4e5@127.0.0.1:1/shardmart",
    "DATABASE_DIRECT_URL": "postgresql://shardmart_owner:0b1c2d3e4f5a6b7c8d9e0f1a2b3c4d5e@127.0.0.1:1/shardmart",
}


def check(*arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """Start `manage.py check` with nothing but these variables."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    with NamedTemporaryFile() as empty:
        return subprocess.run(
            [sys.executable, str(ROOT / "src/manage.py"), "check", *arguments],
            env={**kept, "SHARDMART_ENV_FILE": empty.name, **SAFE, **changes},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


def reasons(**changes: str) -> list[str]:
    """What the refusal says, line by line."""
    finished = check(**changes)
    assert finished.returncode != 0
    assert "ImproperlyConfigured: ENVIRONMENT=production refuses" in finished.stderr
    return [line[2:] for line in finished.stderr.splitlines() if line.startswith("- ")]


def test_safe_settings_start() -> None:
    finished = check()
    assert finished.returncode == 0, finished.stderr


def test_safe_settings_pass_djangos_own_deployment_checks() -> None:
    finished = check("--deploy", "--fail-level=WARNING", TLS_IN_FRONT="true")
    # Subdomains and the browsers' preload list are not ours to decide.
    found = {word for word in finished.stderr.split() if word.startswith("(security.")}
    assert found <= {"(security.W005)", "(security.W021)"}, finished.stderr


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("SECRET_KEY", "k" * 49, "SECRET_KEY has 49 characters; 50 are needed."),
        ("SECRET_KEY", EXAMPLE["SECRET_KEY"], "SECRET_KEY contains 'change-me'"),
        ("PAYMENT_WEBHOOK_SECRET", "w" * 31, "PAYMENT_WEBHOOK_SECRET has 31 characters; 32 are"),
        ("PAYMENT_WEBHOOK_SECRET", SAFE["SECRET_KEY"], "PAYMENT_WEBHOOK_SECRET are the same"),
        ("STRIPE_API_KEY", "change-me", "STRIPE_API_KEY contains 'change-me'"),
        ("SANDBOX_GATEWAY_KEY", "g", "SANDBOX_GATEWAY_KEY has 1 characters"),
        (
            "DATABASE_MONITOR_URL",
            "postgresql://m:short@h/d",
            "DATABASE_MONITOR_URL's password has 5",
        ),
        ("REDIS_URL", "redis://:short@h/0", "REDIS_URL's password has 5 characters"),
        ("EMAIL_URL", "smtp://shop:change-me@h:25", "EMAIL_URL's password contains 'change-me'"),
        ("SECRET_KEY", "django-INSECURE-" + "k" * 50, "SECRET_KEY contains 'insecure'"),
        ("SECRET_KEY", "offline" * 10, "SECRET_KEY contains 'offline'"),
        ("PAYMENT_GATEWAY", "sandbox", "PAYMENT_GATEWAY is 'sandbox'"),
        ("STRIPE_API_KEY", "", "STRIPE_API_KEY is missing"),
        ("SECRET_KEY", "dev-only-" * 10, "SECRET_KEY contains 'dev-only'"),
        ("DEBUG", "true", "DEBUG is on"),
        ("ALLOWED_HOSTS", "", "ALLOWED_HOSTS is empty"),
        ("ALLOWED_HOSTS", "shop.example.com,*", "the wildcard '*'"),
        ("ALLOWED_HOSTS", "shop.example.com,.example.com", "the wildcard '.example.com'"),
        ("ALLOWED_HOSTS", "other.example.com", "'shop.example.com' is not among ALLOWED_HOSTS"),
        ("PUBLIC_URL", "http://shop.example.com", "is not https"),
        ("PAYMENT_WEBHOOK_SECRET", "", "PAYMENT_WEBHOOK_SECRET is missing"),
        ("DATABASE_URL", f"postgresql://postgres:{'p' * 32}@h/d", "'postgres' of 'default'"),
        ("DATABASE_URL", "postgresql://shardmart_owner@h/d", "share the database role"),
        ("STATE_REDIS_URL", "", "would empty the counters of wrong passwords"),
        ("STATE_REDIS_URL", "redis://127.0.0.1:6390/5", "names the Redis of REDIS_URL"),
        ("CORS_ALLOWED_ORIGINS", "http://a.example", "'http://a.example', which is not https"),
    ],
)
def test_one_thing_that_is_wrong_is_said(variable: str, value: str, reason: str) -> None:
    (said,) = reasons(**{variable: value})
    assert reason in said


def test_everything_that_is_wrong_is_said_at_once() -> None:
    wrong = {
        "SECRET_KEY": "dev-only",
        "DEBUG": "true",
        "ALLOWED_HOSTS": "*",
        "PUBLIC_URL": "http://127.0.0.1:8080",
        "PAYMENT_WEBHOOK_SECRET": "",
        "DATABASE_URL": "postgresql://postgres:x@h/d",
    }
    said = "\n".join(reasons(**wrong))
    for name in (*wrong.keys() - {"DATABASE_URL"}, "database role"):
        assert name in said


def test_one_password_is_enough_for_cache_and_broker_on_one_server() -> None:
    password = "r" * 32
    finished = check(
        REDIS_URL=f"redis://:{password}@h/0",
        BROKER_URL=f"redis://:{password}@h/1",
        STATE_REDIS_URL=f"redis://:{password}@other/0",
    )
    assert finished.returncode == 0, finished.stderr


def test_every_placeholder_of_the_example_is_known() -> None:
    assert len(PLACED) >= 9
    assert left_as_they_were({name: value or "" for name, value in EXAMPLE.items()}) == PLACED


def test_the_composed_stack_in_production_refuses_every_placeholder_of_the_example() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    environment = compose["x-app"]["environment"]
    given = {name: value for name, value in environment.items() if value is not None}
    filled = {name: _filled(value) for name, value in given.items()}
    said = "\n".join(reasons(**{**filled, "ENVIRONMENT": "production"}))
    for name in (name for name, value in filled.items() if "change-me" in value):
        # Cache and broker are one server, the counters' is run like it: its password is named once.
        shared = name in {"BROKER_URL", "STATE_REDIS_URL"}
        assert re.search(rf"{name}('s password)? contains", said) or shared
    used = {name for text in given.values() for name in re.findall(r"\$\{(\w+)", text)}
    assert set(PLACED) - used - set(VARIABLES.values()) == {"GRAFANA_PASSWORD"}  # deployments do


def _filled(text: str) -> str:
    """A value of docker-compose.yml, with the variables as .env.example has them."""
    return re.sub(r"\$\{(\w+)[^}]*\}", lambda match: EXAMPLE[match[1]] or "", text)


def test_the_key_of_the_offline_tools_is_refused() -> None:
    offline = dict(
        line.split("=", 1)
        for line in (ROOT / "tests/offline.env").read_text().splitlines()
        if "=" in line
    )
    assert reasons(SECRET_KEY=offline["SECRET_KEY"])


def test_an_unknown_environment_is_refused() -> None:
    finished = check(ENVIRONMENT="prod")
    assert finished.returncode != 0
    assert "ENVIRONMENT is 'prod'; it must be local or production." in finished.stderr


def test_without_a_secret_key_nothing_starts() -> None:
    finished = check(SECRET_KEY="", ENVIRONMENT="local")
    assert finished.returncode != 0
    assert "SECRET_KEY" in finished.stderr


def test_outside_production_the_same_settings_start() -> None:
    finished = check(ENVIRONMENT="local", PUBLIC_URL="http://127.0.0.1:8080", ALLOWED_HOSTS="*")
    assert finished.returncode == 0, finished.stderr
