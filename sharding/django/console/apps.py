from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    """The web console of the cluster; the project mounts its URLs and says for whom."""

    name = "sharding.django.console"
    label = "sharding_console"
    verbose_name = "Shards"
