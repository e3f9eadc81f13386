"""Product management and order processing as two services: docs/scaling.md tells why and when.

`products` and `orders` are a process and a database each. They know of each other what crosses
HTTP and a stream of events, and share `store`, `events` and `web`, which know nothing of a shop.
`make example-services` plays `story`.
"""
