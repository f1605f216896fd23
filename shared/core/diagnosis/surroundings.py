"""What else is known when a probe is read: the control plane's word, the app's own network, what was seen before.

Made by `shared.health.check`, read by `path`. One observation, "no route", means different things with it:

    Azure says            where the app stands                            then
    not Approved          -                                               `NoRoute`: so does an unapproved endpoint look
    Approved              it has connected before from there              `NoRouteAlthoughApproved`: it is broken
    Approved              in the endpoint's own network                   `NoRouteAlthoughApproved`: it is broken
    Approved              elsewhere, peered or not                        `NoRouteFromApp`: perhaps there is no way

The last one is no alarm: an app outside the endpoint's network sees the same nothing whether the connection works or
not, and "unknown" is the honest verdict. The first answer that the app ever gets from the address settles which it is.
A refusal is another observation, `RefusedOnTheWay`: something between answers in the endpoint's place.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.core.model.arm_ids import lower_case


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Facts around a probe; the defaults are "not known"."""

    approved: bool = False
    """Azure says that the connection is Approved."""
    reached_before: bool = False
    """The app has connected to the endpoint's present address, from the network that it is in now."""
    peered: bool | None = None
    """The app is in a network that is peered with the endpoint's; None: not known. Told, and proof of nothing."""
    app_network: str = ""
    """Id of the app's network; empty: not known."""
    network: str = ""
    """Id of the endpoint's network."""

    @property
    def in_own_network(self) -> bool:
        """Whether the app is in the endpoint's own network."""
        return bool(self.app_network) and lower_case(self.app_network) == lower_case(self.network)
