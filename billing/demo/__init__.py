"""A believable platform for `manage.py demo`: customers, prices, four months of usage and the one in progress so far.

A door like the commands: what it makes up goes in through the use cases, with the clock of the day it happened.
"""
