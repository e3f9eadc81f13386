"""HAProxy's servers, taken out and given back while requests come in: natively and in containers.

Standard library only: it also runs where nothing else is installed.
"""
