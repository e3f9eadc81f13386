"""Moving shards: one group at a time, journaled, watched, and cancelled without leftovers."""
