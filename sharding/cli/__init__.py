"""`shardctl`: the DBA's command line for a Citus cluster."""
