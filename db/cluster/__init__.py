"""What every cluster of the shop needs, wherever its servers run: databases, roles, membership."""
