"""What can be seen of a cluster: functions that take a `Cluster` and return dataclasses.

They change nothing. The commands of `shardctl` print what they return, the console draws it.
"""
