"""The timer's use case: `sweep` looks at everything there is, once.

`snapshot` reads it in pages, `core.planning.triage` decides what the loop must do, `checks` tests the rest;
`retention` deletes old rows of all tables.
"""
