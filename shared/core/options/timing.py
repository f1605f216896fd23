"""Settings: how long things take, are waited for, and are kept. A group of `PlanOptions`."""

from __future__ import annotations

from dataclasses import dataclass

from shared.core.options import values as value
from shared.core.options.declaration import setting


@dataclass(frozen=True, slots=True)
class TimingOptions:
    """How long things take, are waited for, and are kept."""

    wait_first: float = setting(
        "WAIT_FIRST_SECONDS",
        value.seconds(0.2, 600),
        "15",
        "Seconds to the second look at what failed. What only time changes (address, approval, operation) is looked at "
        "after 2 seconds at least, later after a twelfth of the time waited.",
    )
    wait_max: float = setting(
        "WAIT_MAX_SECONDS",
        value.seconds(0.2, 3600),
        "60",
        "Seconds between two looks at most; each wait is half as long again.",
    )
    approval_overdue: float = setting(
        "APPROVAL_OVERDUE_SECONDS",
        value.seconds(60, 864000),
        "3600",
        "Seconds after which a pending approval is reported as overdue; then only the timer looks.",
    )
    lag: float = setting(
        "LAG_SECONDS",
        value.seconds(1, 86400),
        "720",
        "Seconds after the end of a request to Elastic Cloud until a list tells what became of it: how late it may "
        "land (600), and how long lists lag or enforcement takes (120). Not less than 720.",
    )
    short_lag_allowed: bool = setting(
        "SHORT_LAG_ALLOWED",
        value.yes_or_no,
        "false",
        "`true`: `LAG_SECONDS` may be less than 720, for a trial with deployments that nothing depends on. A request "
        "that lands later than that can then open a deployment to the internet, or close it.",
    )
    policy_search: float = setting(
        "POLICY_SEARCH_SECONDS",
        value.seconds(1, 86400),
        "720",
        "Seconds that a policy whose creation gave no answer is looked for before another one is created; at least "
        "LAG_SECONDS.",
    )
    visibility: float = setting(
        "VISIBILITY_SECONDS",
        value.seconds(10, 86400),
        "1800",
        'Seconds that "not found" on what was just made, or "another operation in progress", is taken as normal.',
    )
    arm_poll: float = setting(
        "ARM_POLL_SECONDS",
        value.seconds(0.1, 60),
        "1",
        "Seconds between two looks at a long-running operation in Azure, at first; later a twelfth of the time waited.",
    )
    arm_wait: float = setting(
        "ARM_OPERATION_SECONDS",
        value.seconds(1, 60),
        "25",
        "Seconds that one run waits for an operation in Azure before it goes back to the queue.",
    )
    request_timeout: float = setting(
        "REQUEST_TIMEOUT_SECONDS",
        value.seconds(1, 60),
        "15",
        "Seconds that one request to Azure or Elastic Cloud may take.",
    )
    run_seconds: float = setting(
        "RUN_SECONDS",
        value.seconds(10, 180),  # a few in a row, and the host must not end the function: see `reconcile.ROUNDS`
        "90",
        "Seconds that one run over an endpoint may take before it starts anew.",
    )
    journal_days: int = setting(
        "JOURNAL_DAYS",
        value.whole(1, 3650),
        "90",
        "Days that journal entries, and the records of removed connections, are [kept](security.md#data-kept).",
    )
    checks_days: int = setting("CHECKS_DAYS", value.whole(1, 3650), "30", "Days that health checks are kept.")
