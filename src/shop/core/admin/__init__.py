"""The staff pages: Django's admin, made to work where rows are spread over shards."""
