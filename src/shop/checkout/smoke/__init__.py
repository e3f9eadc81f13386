"""The buyer's journey that `manage.py smoke` plays."""
