"""An endpoint that is gone: from the first doubt to the last thing taken away, under the rules S2, S5 and S6.

`remove` is the course of it, used by a run; `observe`, `apply` and `rebuild` are its ends in the clouds; `last_policy`
and `limit` are the two guards that hold for the whole installation.
"""
