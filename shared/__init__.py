"""The product's library.

`core` is pure; `clouds`, `state` and `probe` are its edges. The use cases: `reconcile` is the loop (its parts are in
`reconciling`, and in `removal` for an endpoint that is gone), `sweep` the timer's (its parts are in `sweeping`), and
`operations` what a person asks for over HTTP. `checks` tests a connection for them; `app` puts all together.
"""
