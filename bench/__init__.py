"""Understudy beside its peers and beside the floor under all of them, in one run on one machine.

Absolute figures move with the machine; the ratios of one run are what counts. Refuses to judge by itself: a
limit that is not met is a line of the report, not a failed check.
"""
