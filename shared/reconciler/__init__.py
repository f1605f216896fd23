"""The parts of the loop in `shared/reconciler/loop.py`: one run over one endpoint, from reading it to the next message.

`run` holds the record, lease and diary of a run; `branches` is its course; `observe`, `apply_dns` and `apply_elastic`
are its two ends in the clouds; `conclude` says how it ended, with `unread` where a cloud could not be read. `aside` and
`organizations` say when to keep off an endpoint.
"""
