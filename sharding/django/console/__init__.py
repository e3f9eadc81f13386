"""The web console: nodes as columns, shards as blocks, a move while it happens. It changes nothing.

The project mounts it and says who may come in::

    path("shards/", include(console(access=admins_only, frame="staff/page.html"))),

It asks the nodes itself, over `settings.SHARD_MONITOR_DSN`: a role that may read statistics
(pg_monitor) and needs no right to any table.
"""
