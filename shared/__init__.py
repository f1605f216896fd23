"""The product's library: folders are the layers, from `api` and `dispatch` down to `core`.

A message of the queue enters at `dispatch`, a request of a person at `api`; `app` builds what both work with. Two use
cases bring things about: `reconciler`, one endpoint at a time, and `sweep`, the timer's look at everything. Beside them
`health`, `notifications` and `installation`; below them `settings`, the edges `clouds`, `state` and `probe`, and the
pure `core`.
"""
