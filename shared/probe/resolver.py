"""DNS queries of the probe. Called by `sockets`.

getaddrinfo cannot tell "no such name" from "no answer", reads hosts files and may order or drop addresses; the probe
needs the name server's own words, so it asks with dnspython.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.probe.model import NameNotFound, ResolverFailed

if TYPE_CHECKING:
    import dns.asyncresolver

_PATIENCE = 60.0  # seconds; the probe's own time limit comes first
_TRY = 2.0  # seconds until a query is repeated: a lost datagram must not look like a broken name server


class Resolver:
    """Looks names up with one name server, or with the system's."""

    def __init__(self, nameserver: tuple[str, int] | None = None) -> None:
        self._nameserver = nameserver
        self._resolver: dns.asyncresolver.Resolver | None = None

    async def addresses(self, host: str) -> tuple[str, ...]:
        """Every A record of `host`, through CNAMEs; never cached; the dot at the end keeps search domains out."""
        import dns.exception  # noqa: PLC0415 - dnspython loads with the first probe, not with the app
        import dns.resolver  # noqa: PLC0415 - as above

        try:
            answer = await self._client().resolve(f"{host.rstrip('.')}.", "A", lifetime=_PATIENCE)
        except dns.resolver.NXDOMAIN as error:
            raise NameNotFound from error
        except dns.resolver.NoAnswer as error:
            raise NameNotFound("the name exists but has no A record") from error
        except dns.resolver.NoNameservers as error:
            raise ResolverFailed(_refusals(error)) from error
        except dns.exception.DNSException as error:
            raise ResolverFailed(str(error) or type(error).__name__) from error
        return tuple(record.address for record in answer)

    def _client(self) -> dns.asyncresolver.Resolver:
        """Made with the first query: reading the system's configuration is file access."""
        import dns.asyncresolver  # noqa: PLC0415 - as above

        if self._resolver is None:
            self._resolver = dns.asyncresolver.Resolver(configure=self._nameserver is None)
            if self._nameserver is not None:
                address, port = self._nameserver
                self._resolver.nameservers = [address]
                self._resolver.port = port
            self._resolver.timeout = _TRY
        return self._resolver


def _refusals(error: dns.resolver.NoNameservers) -> str:
    """What each name server answered, such as `SERVFAIL`, without dnspython's framing."""
    errors = error.kwargs.get("errors") or ()
    answers = {f"{str(attempt[0]).removeprefix('Do53:')} answered {attempt[3]}" for attempt in errors}  # plain DNS
    return "; ".join(sorted(answers)) or "no name server gave a usable answer"
