"""The health check of a connection: `check` tests it, with what `surroundings` and `networks` know; `record` keeps it.

Used by the runs of the loop and by the sweep.
"""
