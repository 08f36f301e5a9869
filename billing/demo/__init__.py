"""A believable platform for `manage.py demo`: customers, prices and four months of usage, the same on every run.

A door like the commands: what it makes up goes in through the use cases, with the clock of the day it happened.
"""
