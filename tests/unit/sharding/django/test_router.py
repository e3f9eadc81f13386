import pytest
from django.conf import settings

from sharding.django.router import ShardRouter


def test_without_a_coordinator_alias_the_router_has_no_say() -> None:
    assert "coordinator" not in settings.DATABASES
    assert ShardRouter().allow_migrate("default", "orders") is None


@pytest.mark.parametrize(
    ("alias", "allowed"), [("coordinator", True), ("default", False), ("node_1", False)]
)
def test_ddl_goes_to_the_coordinator_alone(
    monkeypatch: pytest.MonkeyPatch, alias: str, allowed: bool
) -> None:
    nodes = {"coordinator": {}, "default": {}, "node_1": {}}
    monkeypatch.setattr(settings, "DATABASES", nodes)
    assert ShardRouter().allow_migrate(alias, "orders") is allowed
