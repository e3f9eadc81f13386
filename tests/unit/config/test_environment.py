import pytest
from django.core.exceptions import ImproperlyConfigured

from shop.config.environment import Environment


def test_a_word_that_is_not_given_is_the_first_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ENVIRONMENT", raising=False)
    assert Environment().one_of("ENVIRONMENT", "local", "production") == "local"


def test_a_word_that_is_no_choice_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVIRONMENT", "Production")
    with pytest.raises(ImproperlyConfigured, match="'Production'; it must be local or production"):
        Environment().one_of("ENVIRONMENT", "local", "production")
