"""The health check of a connection: `check` tests it, `networks` reads the virtual networks that explain the result.

Used by the runs of the loop and by the sweep.
"""
