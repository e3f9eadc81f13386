"""Can the release that runs live with the new migrations, and can the cluster's tables be used
meanwhile? `manage.py check_migrations` asks; docs/migrations.md says how to write what it accepts.

`releases` tells which migrations are new, `history` plays them one operation after the other,
`compatibility` and `locks` object, `verdicts` weighs that against what a migration may.
"""
