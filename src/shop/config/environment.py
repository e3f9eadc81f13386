"""The environment that the settings are made from.

Real environment variables win; what they leave out is read from the file that `make up` writes
(or from the one that SHARDMART_ENV_FILE names).
"""

import os
from pathlib import Path

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from environs import Env, EnvError

ROOT = Path(__file__).resolve().parents[3]


class Environment(Env):
    """Reads typed variables; what is missing or malformed is said in one sentence."""

    def database(self, name: str) -> dict[str, object]:
        """Return Django's settings for the database URL in this variable."""
        return _database(self.required(name), name)

    def one_of(self, name: str, *choices: str) -> str:
        """Return a variable that has to be one of these words; the first is the default."""
        word: str = self.str(name, choices[0])
        if word not in choices:
            raise ImproperlyConfigured(f"{name} is {word!r}; it must be {' or '.join(choices)}.")
        return word

    def required(self, name: str) -> str:
        """Return a variable that has no default because none would be safe."""
        try:
            return self.str(name)
        except EnvError as error:
            raise ImproperlyConfigured(_explain(name, error)) from None


def load() -> Environment:
    """Return the environment, completed from the stack's file."""
    env = Environment()
    path = Path(os.environ.get("SHARDMART_ENV_FILE", ROOT / ".run" / "local" / "env"))
    if path.is_file():
        env.read_env(str(path), recurse=False)
    elif "SHARDMART_ENV_FILE" in os.environ:
        raise ImproperlyConfigured(f"SHARDMART_ENV_FILE names {path}, which does not exist.")
    return env


def _database(url: str, name: str) -> dict[str, object]:
    try:
        return dict(dj_database_url.parse(url, engine="sharding.django.backend"))
    except ValueError as error:
        raise ImproperlyConfigured(_explain(name, error)) from None


def _explain(name: str, error: Exception) -> str:
    return f"{name} is missing or malformed ({error}). Run `make up`, or set it in the environment."
