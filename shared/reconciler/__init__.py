"""The loop over one endpoint: `loop` is the architecture on one screen.

`run_state` holds the record, lease and journal of a run; `observe` reads; `dns_branch` and `elastic_branch` bring each
cloud towards what is wanted; `status` says how it stands when the run ends. Of an endpoint that is gone, `deleted` is
the course: `observe_removal` and `recover` read what was made for it, `apply_removal` takes it away, `disassociate` one
association at a time.
"""
