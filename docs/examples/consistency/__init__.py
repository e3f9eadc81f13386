"""What a sharded PostgreSQL guarantees and what it does not: programs that show it."""
