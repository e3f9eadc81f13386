"""The only bridge between Django and the sharding library."""
