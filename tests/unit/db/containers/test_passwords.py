"""The passwords that the databases are made with."""

import pytest

from db.containers.passwords import VARIABLES, FromEnvironment


@pytest.fixture(autouse=True)
def good(monkeypatch: pytest.MonkeyPatch) -> None:
    for number, name in enumerate(VARIABLES.values()):
        monkeypatch.setenv(name, f"{number:064x}")


@pytest.mark.parametrize("name", VARIABLES.values())
def test_production_prepares_no_database_with_a_password_of_the_example(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "change-me-superuser")
    FromEnvironment()
    monkeypatch.setenv("ENVIRONMENT", "production")
    with pytest.raises(SystemExit, match=name):
        FromEnvironment()


def test_a_missing_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OWNER_PASSWORD")
    with pytest.raises(SystemExit, match="OWNER_PASSWORD"):
        FromEnvironment()
