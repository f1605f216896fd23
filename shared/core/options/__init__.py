"""What an operator chose, as far as the plan needs it: a module for each group of settings, with names and defaults.

Pure. `shared.settings` adds the groups that only the edges need and reads them all from the environment; `planning`,
`guards` and the use cases read `plan_options.PlanOptions`.
"""
