"""Storage for tests and for `python -m local`: a double in memory, and Azurite."""
