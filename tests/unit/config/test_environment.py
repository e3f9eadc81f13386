from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from shop.config.environment import Environment, load


def test_a_word_that_is_not_given_is_the_first_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ENVIRONMENT", raising=False)
    assert Environment().one_of("ENVIRONMENT", "local", "production") == "local"


def test_whatever_stands_in_the_stacks_file_is_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "env"
    file.write_text(
        "N_WHOLE=2\nN_PART=0.5\nN_YES=true\nN_WORD=b\nN_RATE=7/min\nN_EMPTY=\nN_TEXT=t\n"
    )
    monkeypatch.setenv("SHARDMART_ENV_FILE", str(file))
    env = load()
    read = (
        env.integer("N_WHOLE", 30),
        env.number("N_PART", 1.0),
        env.boolean("N_YES", False),
        env.one_of("N_WORD", "a", "b"),
        env.rate("N_RATE", "off"),
        env.integer("N_EMPTY", 30),
        env.text("N_TEXT", ""),
    )
    assert read == (2, 0.5, True, "b", "7/min", 30, "t")


def test_a_word_that_is_no_choice_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVIRONMENT", "Production")
    with pytest.raises(ImproperlyConfigured, match="'Production'; it must be local or production"):
        Environment().one_of("ENVIRONMENT", "local", "production")


def test_a_number_beyond_what_is_safe_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in ("16", "0", "-1"):
        monkeypatch.setenv("ACCESS_TOKEN_MINUTES", number)
        with pytest.raises(ImproperlyConfigured, match=f"is {number}; it must be 1 to 15"):
            Environment().integer("ACCESS_TOKEN_MINUTES", 15, most=15)
    monkeypatch.setenv("ACCESS_TOKEN_MINUTES", "5")
    assert Environment().integer("ACCESS_TOKEN_MINUTES", 15, most=15) == 5


def test_an_access_token_lives_for_a_quarter_of_an_hour_at_most() -> None:
    assert settings.SIMPLE_JWT["ACCESS_TOKEN_LIFETIME"] <= timedelta(minutes=15)
