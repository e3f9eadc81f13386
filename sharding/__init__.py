"""The sharding library: where a key lives in a Citus cluster, importable without Django."""
