"""The loop, `shared/reconciler/loop.py`, and its parts: one run over one endpoint, from reading it to the next message.

`run_state` holds the record, lease and diary of a run; `branches` is its course; `observe`, `dns_branch` and
`elastic_branch` are its two ends in the clouds; `status` says how it ended, with `unread` where a cloud could not be
read. `out_of_scope` and `organization` say when to keep off an endpoint.
"""
