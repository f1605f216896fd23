"""What else is known when a probe is read: the control plane's word, the app's own network, what was seen before.

Made by `shared.health.check`, read by `path`. One observation, "no route", means different things with it:

    Azure says            seen before, or a route is known     then
    not Approved          -                                    `NoRoute`: that is what an unapproved endpoint looks like
    Approved              yes                                  `NoRouteAlthoughApproved`: it is broken
    Approved              no                                   `NoRouteFromApp`: the app may just not be able to see it

The last one is no alarm: an app outside the endpoint's network sees the same nothing whether the connection works or
not, and "unknown" is the honest verdict. The first answer that the app ever gets from the address settles which it is.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Facts around a probe; the defaults are "not known"."""

    approved: bool = False
    """Azure says that the connection is Approved."""
    reached_before: bool = False
    """The app has connected to the endpoint's present address, from the network that it is in now."""
    peered: bool | None = None
    """The app is in the endpoint's network or in one that is peered with it; None: not known."""
    app_linked: bool | None = None
    """The zone is linked to the app's own network; None: not known which one that is."""
    app_network: str = ""
    """Id of the app's network; empty: not known."""
    network: str = ""
    """Id of the endpoint's network."""
    app_dns_servers: tuple[str, ...] = ()
    """Name servers other than Azure's that the app's network asks."""
    dns_servers: tuple[str, ...] = ()
    """Name servers other than Azure's that the endpoint's network asks."""
