"""The health check of a connection: `check` tests it, with what `networks` knows of many, and keeps the result.

Used by the runs of the loop and by the sweep.
"""
