"""The parts of the timer's use case in `shared/sweep/sweep.py`: one look at everything there is.

`inventory` reads it in pages, `listing` looks one endpoint up in it, `triage` decides what the loop must do, `checks`
tests the rest; `lease`, `last` and `retention` keep sweeps single, told of, and small.
"""
