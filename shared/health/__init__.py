"""The health check of a connection: `check` tests it, with what `around` it explains the result.

`networks` reads virtual networks for many checks at once. Used by the runs of the loop and by the sweep.
"""
