from django.apps import AppConfig


class ShardingConfig(AppConfig):
    """Registers the system checks and the `migrate` command that knows the coordinator."""

    name = "sharding.django"
    label = "sharding"
    verbose_name = "Sharding"

    def ready(self) -> None:
        from sharding.django import checks  # noqa: F401  (registers them)
