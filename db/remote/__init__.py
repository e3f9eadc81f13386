"""Releases brought to a host over SSH and docker compose: `.github/scripts/deploy.sh`.

What is here runs on the operator's machine, what is in `host/` on the host, where it is sent with
each run. Standard library only, on both sides.
"""
