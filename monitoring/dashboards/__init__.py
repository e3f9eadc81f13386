"""Grafana's dashboards, made from Python so that all of them look and behave alike.

`python -m monitoring.dashboards` writes them to monitoring/grafana/dashboards/; `make lint` fails
when they were not written again after a change here.
"""

from monitoring.dashboards import api, business, cache, cluster, edge, queues
from monitoring.dashboards.build import Dashboard

ALL: tuple[Dashboard, ...] = (
    api.DASHBOARD,
    edge.DASHBOARD,
    cluster.DASHBOARD,
    cache.DASHBOARD,
    queues.DASHBOARD,
    business.DASHBOARD,
)
