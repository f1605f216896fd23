"""What the use cases need of Elastic Cloud, for every family of targets. Implemented below `clouds/elastic`.

`hosted` connects targets. The loop, the sweep and what a person asks for speak to these protocols only, so that
another family is another implementation and no change of theirs. What only one family can do is an object that the
others do not have.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from shared.core.model.errors import Permanent
from shared.core.model.resources import Attached, Claim, Policy, Target
from shared.core.model.services import Service
from shared.core.model.steps import Associate, ClaimEndpoint, CreatePolicy, UnclaimEndpoint, UpdatePolicy


class Claims(Protocol):
    """The endpoints that an organization holds for itself."""

    async def listed(self, region: str | None = None) -> tuple[Claim, ...]:
        """The endpoints of a region, or of all, that the organization has claimed."""

    async def claim(self, step: ClaimEndpoint) -> None:
        """Claim an endpoint for the organization."""

    async def unclaim(self, step: UnclaimEndpoint) -> None:
        """Give a claim up; one that is gone is no error."""


class PrivateConnections(Protocol):
    """Policies, targets and associations of one organization, as its API key sees them."""

    server_date: str | None
    """The `Date` of the service's last answer; None: it has not answered."""

    key_mark: str
    """Tells the API key that was taken last from others, and nothing else of it; empty: none was."""

    @property
    def key_expires(self) -> datetime | None:
        """When the API key ends, as the last answer said; None: not known, or never."""

    @property
    def key_renewal(self) -> str:
        """What a person does to put another API key in the place of this one: the end of a sentence."""

    async def ensure_key(self) -> None:
        """Return if there is an API key that may work; raises what keeps the app from one, the last refusal too."""

    async def read_key(self) -> None:
        """Read the API key where it is kept; raises what keeps the app from it, also while an older one is in use."""

    @property
    def claims(self) -> Claims | None:
        """The organization's claims; None in a family that has none."""

    async def policies(self, region: str | None = None) -> tuple[Policy, ...]:
        """Every policy of a region, or of all, with its associations."""

    async def policy(self, policy_id: str) -> Policy | None:
        """One policy; None when it is gone."""

    async def create_policy(self, step: CreatePolicy) -> str:
        """Create the policy and return its id. AnswerLost: it may exist; look for it before trying again."""

    async def update_policy(self, step: UpdatePolicy) -> None:
        """Let the policy follow its endpoint; LostRace where it no longer carries the connection's marker."""

    async def delete_policy(self, policy_id: str) -> None:
        """Delete a policy that nothing is associated with; one that is gone is no error."""

    async def targets(self, ids_or_names: Iterable[str], *, tag: str = "") -> tuple[Target, ...]:
        """Every target with one of these as its id or exact name, or with the tag, with any value."""

    async def all_targets(self) -> tuple[Target, ...]:
        """Every target that the key may see."""

    async def is_unknown(self, target_id: str) -> bool:
        """Whether the service answers that it knows no such target: it is gone, or the key has no right on it."""

    async def state_of(self, target_id: str) -> str:
        """What a target does where it does not simply run, in the service's word; asked once its test has failed.

        Empty: it runs, or its listing tells what it does.
        """

    async def attached_to(self, target_id: str) -> Attached:
        """The policies attached to a target, read now."""

    async def prepare_change(self, target_id: str) -> None:
        """Read what a change of the target's policies needs, so that nothing is read between the last looks and it.

        Raises what keeps them from being changed.
        """

    async def associate(self, step: Associate, seen: Attached | None = None) -> bool:
        """Associate the policy with a target; True when it was not associated before.

        `seen`: what was decided on. A family whose writes are conditional raises LostRace where it is so no longer:
        then nothing was done, and nothing of it is under way. AnswerLost: it may be done, now or later.
        """

    async def disassociate(self, policy_id: str, target_id: str, seen: Attached | None = None) -> None:
        """Take an association away; one that is gone is no error. `seen` and errors as for `associate`."""

    async def services(self) -> tuple[Service, ...]:
        """The Private Link Services that the API tells of; none in a family whose API tells of none."""

    async def aclose(self) -> None:
        """Close the connections."""


async def listed_claims(api: PrivateConnections, region: str | None = None) -> tuple[Claim, ...]:
    """What the organization has claimed: nothing in a family without claims."""
    return () if api.claims is None else await api.claims.listed(region)


def claims_of(api: PrivateConnections) -> Claims:
    """The claims, for a step that makes or ends one; Permanent in a family without them."""
    if api.claims is None:
        raise Permanent("Targets of this family know no claims of endpoints.")
    return api.claims
