"""The hooks of azd, which people without azd run by hand: `scripts/hook.sh NAME [DEPLOYMENT]`, or `scripts/hook.ps1`.

    preprovision   providers, existing topics, subscriptions that left, a deleted vault    before infra/ is deployed
    predeploy      waits until new rights have spread                                      before the code is uploaded
    postdeploy     event subscriptions to the function, proof of delivery, a sweep         after the code is there
    predown        refuses, or takes back what is outside the installation's own groups    before azd down
    undo           takes back, and deletes the installation's own groups: in place of azd down
    roles          the roles that must be assigned, and commands for those that are not: scripts/roles.sh runs it
    topics         what delivers events, where a watched subscription lacks it: scripts/topics.sh runs it
    first-checks   what only live Azure can tell, as a report: scripts/first_checks.sh runs it

With azd the choices and outputs are in the environment; by hand the hook reads them from the deployment that is named.
Python, so that every shell does the same: azd needs it for this project anyway. No libraries but Python's own.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import after_deploy
import before_provision
import first_checks
import roles
import topics
import undo
from azure_cli import Refused, say
from installation import Installation, read

CHANGE = "--change"
"""Lets the first checks change things of the installation's own, and change them back."""


def before_upload(installation: Installation) -> None:
    """Roles that others assign must be there; those of the deployment need a moment."""
    if not installation.assign_roles:
        roles.require(installation)
    after_deploy.wait_for_roles()


HOOKS = {
    "preprovision": before_provision.prepare,
    "predeploy": before_upload,
    "postdeploy": after_deploy.subscribe_and_prove,
    "predown": undo.before_down,
    "undo": undo.everything,
    "roles": roles.show,
    "topics": lambda installation: topics.add(installation, [word for word in sys.argv[2:] if is_id(word)]),
    "first-checks": lambda installation: first_checks.report(installation, change=CHANGE in sys.argv),
}


def is_id(word: str) -> bool:
    """Whether a word is the id of a subscription, and so no name of a deployment."""
    return re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", word) is not None


def main() -> None:
    """Run the hook that is named."""
    words = [word for word in sys.argv[1:] if word != CHANGE and not is_id(word)]
    if not words or words[0] not in HOOKS:
        sys.exit(f"Usage: scripts/hook.sh {'|'.join(HOOKS)} [NAME-OF-THE-DEPLOYMENT]")
    os.chdir(Path(__file__).resolve().parents[2])
    installation = read(*words[1:2])
    if words[0] != "roles":  # what it prints is a list, to be taken on
        say(f"{words[0]} of {installation.name}")
    try:
        HOOKS[words[0]](installation)
    except Refused as refusal:
        sys.exit(str(refusal))


if __name__ == "__main__":
    main()
