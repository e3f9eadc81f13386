from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    """What the shop says of itself as a whole: the exporter of figures, and the page /status/."""

    name = "shop.monitoring"
    label = "monitoring"
