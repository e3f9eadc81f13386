"""A payment provider to develop against: slow, forgetful and talkative, as real ones are.

It shares nothing with the shop but the HTTP interface: no code, no database, no settings.
"""
