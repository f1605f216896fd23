"""Reads which addresses a private endpoint's PUT asks for, and chooses them out of its subnet. Called by `endpoints`.

`ipVersionType` IPv4 (the default), IPv6 or DualStack; `ipConfigurations` with a static address; else the first one that
is free. Azure keeps the first four addresses of a subnet and the last one to itself.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, cast, get_args

from local.arm.errors import bad_request
from local.arm.model import Addresses, IpVersion
from local.arm.networks import network_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from local.arm.context import Call
    from local.arm.model import PrivateEndpoint, Subnet, VirtualNetwork

_KEPT_BY_AZURE = 4


def read_groups(call: Call) -> list[str]:
    """The ids of the application security groups that the body puts the endpoint into."""
    return [str(one.get("id") or "") for one in call.properties().get("applicationSecurityGroups") or []]


def choose_addresses(
    call: Call,
    network: VirtualNetwork,
    subnet: Subnet,
    others: Iterable[PrivateEndpoint],
    allocate: Callable[[VirtualNetwork], str] | None,
) -> Addresses:
    """The addresses of a new endpoint; `others` are in the same subnet."""
    version = _version(call)
    configurations = tuple(call.properties().get("ipConfigurations") or ())
    static = [str((one.get("properties") or {}).get("privateIPAddress") or "") for one in configurations]
    taken = {address for one in others for address in (one.reserved.ipv4, one.reserved.ipv6) if address}
    for address in filter(None, static):
        _check_static(address, call, subnet, taken)
    given = {ipaddress.ip_address(address).version: address for address in filter(None, static)}
    ipv4 = ipv6 = ""
    if version != "IPv6":
        ipv4 = given.get(4) or (allocate(network) if allocate else _first_free(subnet, 4, taken))
    if version != "IPv4":
        ipv6 = given.get(6) or _first_free(subnet, 6, taken)
    return Addresses(version, ipv4, ipv6, configurations)


def _version(call: Call) -> IpVersion:
    told = call.properties().get("ipVersionType") or "IPv4"
    for version in get_args(IpVersion):
        if str(told).lower() == version.lower():
            return cast("IpVersion", version)
    raise bad_request("InvalidRequestFormat", f"The ipVersionType '{told}' is none of IPv4, IPv6 and DualStack.")


def _check_static(address: str, call: Call, subnet: Subnet, taken: set[str]) -> None:
    try:
        wanted = ipaddress.ip_address(address)
    except ValueError as error:
        raise bad_request("InvalidIPAddress", f"The private IP address '{address}' is none.") from error
    if not any(wanted in network_of(prefix) for prefix in subnet.prefixes):
        prefixes = ", ".join(subnet.prefixes)
        raise bad_request(
            "PrivateIPAddressNotInSubnet",
            f"Private static IP address {address} does not belong to the range of subnet prefix {prefixes}.",
        )
    if address in taken:
        raise bad_request(
            "PrivateIPAddressIsAllocated",
            f"IP configuration of {call.path.id} is using the private IP address {address} which is already allocated.",
        )


def _first_free(subnet: Subnet, version: int, taken: set[str]) -> str:
    """The first free address of that kind; 400 where the subnet has none, or no such prefix at all."""
    for prefix in map(network_of, subnet.prefixes):
        if prefix.version != version:
            continue
        for offset in range(_KEPT_BY_AZURE, min(prefix.num_addresses - 1, 1 << 16)):
            address = str(prefix.network_address + offset)
            if address not in taken:
                return address
    prefixes = ", ".join(subnet.prefixes)
    raise bad_request(
        "SubnetIsFull",
        f"Subnet {subnet.name} with address prefix {prefixes} does not have enough capacity for 1 IP addresses "
        f"(IPv{version}).",
    )
