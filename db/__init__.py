"""What the servers are: their configuration, and the stack that runs them on one machine."""
