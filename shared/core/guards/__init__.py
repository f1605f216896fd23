"""The safety rules that forbid (S1 to S9), a module each. Pure; asked by `planning` and by the use cases."""
