"""The environment that the settings are made from.

Real environment variables win; what they leave out is read from the file that `make up` writes
(or from the one that SHARDMART_ENV_FILE names).

Invariant: what the settings read is remembered with its default and its meaning, and
docs/configuration.md is made of that (`shop.config.table`).
"""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from environs import Env, EnvError

ROOT = Path(__file__).resolve().parents[3]
RATE = re.compile(r"off|[1-9][0-9]*/(s|min|hour|day)")
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A variable that the settings are made from.

    Attributes:
        default: as it would stand in a file; None where the variable has to be given.
        production: the same, where ENVIRONMENT=production has another one.
    """

    name: str
    default: str | None = None
    production: str | None = None


class Environment(Env):
    """Reads typed variables; what is missing or malformed is said in one sentence.

    The settings read by the methods below, which remember what was read. A number or a yes that
    is empty, as a file of variables may have it, is not given.
    """

    def __init__(self) -> None:
        super().__init__()
        self.read: dict[str, Setting] = {}

    def text(self, name: str, default: str, *, production: str | None = None) -> str:
        """Return a variable as it stands."""
        return str(self._typed(self.str, name, self._default(name, default, production)))

    def integer(
        self, name: str, default: int, *, production: int | None = None, most: int | None = None
    ) -> int:
        """Return a whole number; with `most`, one of at least 1 and of no more than is safe."""
        number = int(self._given(self.int, name, self._default(name, default, production)))
        if most is not None and not 1 <= number <= most:
            raise ImproperlyConfigured(f"{name} is {number}; it must be 1 to {most}.")
        return number

    def number(self, name: str, default: float) -> float:
        """Return a number."""
        return float(self._given(self.float, name, self._default(name, default)))

    def boolean(self, name: str, default: bool, *, production: bool | None = None) -> bool:
        """Return whether a variable says yes."""
        return bool(self._given(self.bool, name, self._default(name, default, production)))

    def words(
        self, name: str, default: list[str], *, production: list[str] | None = None
    ) -> list[str]:
        """Return words that commas part."""
        return list(self._typed(self.list, name, self._default(name, default, production)))

    def one_of(self, name: str, *choices: str) -> str:
        """Return a variable that has to be one of these words; the first is the default."""
        word = str(self._given(self.str, name, self._default(name, choices[0])))
        if word not in choices:
            raise ImproperlyConfigured(f"{name} is {word!r}; it must be {' or '.join(choices)}.")
        return word

    def rate(self, name: str, default: str, *, production: str | None = None) -> str:
        """Return how often something may happen, e.g. ``60/min``, or ``off``."""
        word = str(self._given(self.str, name, self._default(name, default, production)))
        if not RATE.fullmatch(word):
            raise ImproperlyConfigured(
                f"{name} is {word!r}; it must be a number per s, min, hour or day, e.g. 60/min,"
                " or off."
            )
        return word

    def email(self, name: str, default: str) -> dict[str, Any]:
        """Return Django's settings for the mail server's URL in this variable."""
        return dict(self._typed(self.dj_email_url, name, self._default(name, default)))

    def database(self, name: str) -> dict[str, object]:
        """Return Django's settings for the database URL in this variable."""
        return _database(self.required(name), name)

    def required(self, name: str) -> str:
        """Return a variable that has no default because none would be safe."""
        self.read[name] = Setting(name=name)
        try:
            return self.str(name)
        except EnvError as error:
            raise ImproperlyConfigured(_explain(name, error)) from None

    def _default(self, name: str, default: T, production: T | None = None) -> T:
        """Remember a variable with its defaults; return the one that counts here."""
        self.read[name] = Setting(
            name=name,
            default=_written(default),
            production=None if production is None else _written(production),
        )
        if production is None or self.str("ENVIRONMENT", "") != "production":
            return default
        return production

    def _given(self, read: Callable[..., Any], name: str, default: object) -> Any:
        # Not os.environ's word: what a file says does not stand there.
        return self._typed(read, name, default) if self.str(name, "") else default

    def _typed(self, read: Callable[..., Any], name: str, default: object) -> Any:
        try:
            return read(name, default)
        except (EnvError, ValueError) as error:
            raise ImproperlyConfigured(
                f"{name} cannot be used: {error} docs/configuration.md says what it is for."
            ) from None


def load() -> Environment:
    """Return the environment, completed from the stack's file."""
    env = Environment()
    path = Path(os.environ.get("SHARDMART_ENV_FILE", ROOT / ".run" / "local" / "env"))
    if path.is_file():
        env.read_env(str(path), recurse=False)
    elif "SHARDMART_ENV_FILE" in os.environ:
        raise ImproperlyConfigured(f"SHARDMART_ENV_FILE names {path}, which does not exist.")
    return env


def _written(value: object) -> str:
    """Return a default as it would stand in a file."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return ",".join(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _database(url: str, name: str) -> dict[str, object]:
    try:
        return dict(dj_database_url.parse(url, engine="sharding.django.backend"))
    except ValueError as error:
        raise ImproperlyConfigured(_explain(name, error)) from None


def _explain(name: str, error: Exception) -> str:
    return f"{name} is missing or malformed ({error}). Run `make up`, or set it in the environment."
