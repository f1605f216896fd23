"""What a person asks for over HTTP, one use case a module; called by the HTTP triggers in `functions/`.

`queries` shows what is kept and runs again; `preview` and `plans` show what would be done; `doctor` (with `deadlines`)
examines the installation; `removals` and `poison` let go on what was stopped or given up. (Pausing is
`shared/installation/pause.py`: each run asks it.)
"""
