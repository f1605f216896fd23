"""Reasons of the setup in Azure: the endpoint, its approval, zone, links and record. Data for `shared.core.reasons`."""

from __future__ import annotations

from shared.core.model.reasons import Hop, Reason
from shared.core.reasons.entry import ReasonDoc

ENDPOINT = (
    ReasonDoc(
        Reason.ELASTIC_SERVICE,
        "The endpoint leads to Elastic.",
        "Its alias is one of Elastic's services, for deployments or for Serverless projects.",
    ),
    ReasonDoc(
        Reason.UNKNOWN_ELASTIC_ALIAS,
        "The connection is Ignored; nothing is made for the endpoint.",
        "Its alias looks like one of Elastic's but is not known: another region, another GUID for a known region, or "
        "another pattern; the message says which. Elastic Cloud is asked for regions of projects once an hour.",
        "Compare it with the table in Elastic's guide. If it is there, name it in ELASTIC_SERVICES.",
        Hop.ENDPOINT,
    ),
    ReasonDoc(
        Reason.NOT_ELASTIC,
        "The connection is Ignored.",
        "The endpoint leads to another service than Elastic Cloud's.",
    ),
    ReasonDoc(
        Reason.OUT_OF_SCOPE,
        "The connection is Ignored.",
        "The settings leave the endpoint out: its subscription, resource group, location or tags.",
        "Change the setting that the message names, if the app is to handle it.",
    ),
    ReasonDoc(
        Reason.IGNORED_BY_TAG,
        "The connection is Ignored.",
        "The endpoint's tag elastic-privatelink has the value ignore.",
        "Take the tag off to have it handled again.",
    ),
    ReasonDoc(
        Reason.ENDPOINT_MISSING,
        "The endpoint was not in the last listing.",
        "It was deleted, or Azure did not show it once.",
        "Wait: the next sweep looks again before it is believed.",
        Hop.ENDPOINT,
    ),
    ReasonDoc(
        Reason.ENDPOINT_NOT_FOUND,
        "The connection is Removing or Removed.",
        "The private endpoint does not exist any more.",
        "Create it again under the same name if its deletion was a mistake.",
        Hop.ENDPOINT,
    ),
    ReasonDoc(Reason.HAS_ADDRESS, "The endpoint has its private address.", "Azure gave it one."),
    ReasonDoc(
        Reason.NO_ADDRESS_YET,
        "Record or link wait.",
        "Azure is still making the endpoint and its network interface.",
        "Wait. If it lasts for more than some minutes, look at the endpoint's provisioning state in the portal.",
        Hop.ENDPOINT,
    ),
    ReasonDoc(
        Reason.ADDRESS_OVERDUE,
        "Record and link wait, for half an hour and longer.",
        "Azure has made the endpoint without what a connection needs: a network interface with a private IPv4 address "
        "in a subnet, and a resource GUID. One that has IPv6 addresses only cannot be reached by Elastic's names.",
        "Look at the endpoint's network interface in the Azure portal; create the endpoint again in a subnet with free "
        "IPv4 addresses.",
        Hop.ENDPOINT,
    ),
    ReasonDoc(
        Reason.ENDPOINT_FAILED,
        "The endpoint does not get an address, or Elastic does not approve it.",
        "Azure says that its provisioning Failed or was Canceled.",
        "Delete the endpoint and create it again.",
        Hop.ENDPOINT,
    ),
    ReasonDoc(
        Reason.NO_NETWORK_YET,
        "The zone is not linked.",
        "Azure has not said yet which virtual network the endpoint is in.",
        "Wait: the app looks again.",
        Hop.ENDPOINT,
    ),
    ReasonDoc(
        Reason.NO_GUID_YET,
        "No policy is made.",
        "Azure has not given the endpoint a resource GUID yet.",
        "Wait: the app looks again.",
        Hop.ENDPOINT,
    ),
)

APPROVAL = (
    ReasonDoc(
        Reason.APPROVED, "The connection is approved.", "Elastic found the policy with the endpoint's name and GUID."
    ),
    ReasonDoc(
        Reason.AWAITING_APPROVAL,
        "The connection is Pending; associations wait for it.",
        "Elastic approves by itself when it has found the policy.",
        "Wait: it takes minutes as a rule.",
        Hop.APPROVAL,
    ),
    ReasonDoc(
        Reason.APPROVAL_OVERDUE,
        "Pending for longer than APPROVAL_OVERDUE_SECONDS.",
        "The policy holds another name or GUID or is in another region, or another organization claims the endpoint.",
        "Compare the policy with the endpoint's exact name and resource GUID (properties.resourceGuid); then ask "
        "Elastic support with both.",
        Hop.APPROVAL,
    ),
    ReasonDoc(
        Reason.REJECTED,
        "The connection is Rejected; nothing goes through.",
        "Elastic refused the endpoint. Azure never leaves this state.",
        "Delete the private endpoint and create it again; check that no policy has its name with another GUID.",
        Hop.APPROVAL,
    ),
    ReasonDoc(
        Reason.DISCONNECTED,
        "The connection is Disconnected; nothing goes through any more.",
        "Elastic removed the connection, as after its policy was deleted. Azure never leaves this state.",
        "Delete the private endpoint and create it again.",
        Hop.APPROVAL,
    ),
)

DNS = (
    ReasonDoc(Reason.EXISTS, "The zone, or the policy, is there.", "Made by the app, or found and used."),
    ReasonDoc(
        Reason.LINKED, "The zone is linked to every network that is to use it.", "Made by the app, or found and used."
    ),
    ReasonDoc(Reason.POINTS_TO_ENDPOINT, "The * record is right.", "It points to the endpoint's address."),
    ReasonDoc(Reason.ADOPTED, "The * record is right.", "Made by others; the app uses it and never changes it."),
    ReasonDoc(
        Reason.MISSING,
        "Something that belongs to the connection is not there.",
        "It was never made, or it was deleted.",
        "Wait: the app makes it. If it does not, the message of the next condition says why.",
    ),
    ReasonDoc(
        Reason.DIFFERENT,
        "The record or the policy is not as it should be.",
        "The endpoint was made anew or got another address, or a person or another manager changed it.",
        "Wait: the app puts right what is its own.",
    ),
    ReasonDoc(
        Reason.IN_PROGRESS,
        "The link is not effective yet.",
        "Azure is still making it.",
        "Wait: it takes seconds to minutes.",
        Hop.NETWORK,
    ),
    ReasonDoc(
        Reason.LINK_OVERDUE,
        "The link is not effective, for half an hour and longer.",
        "Azure began to make it and does not end.",
        "Delete the link in the Azure portal if it stays so; the app makes it anew.",
        Hop.NETWORK,
    ),
    ReasonDoc(
        Reason.NETWORK_LINKED_TO_ANOTHER_ZONE,
        "The zone cannot be linked to a network: it has a zone of this name already.",
        "A network can use one zone of a name (Azure: overlapping namespaces). Either the app cannot see the other "
        "zone, or the network is one of DNS_LINK_VNETS and has the zone of another endpoint.",
        "Give the app read access to a zone that it cannot see (DNS_SUBSCRIPTIONS). A further network can follow one "
        "endpoint of a region: it is no fault of this connection if it follows another.",
        Hop.DNS,
    ),
    ReasonDoc(
        Reason.ANSWERED_BY_ANOTHER_ZONE,
        "The endpoint works, and its clients are led to another endpoint.",
        "The network that answers the clients (their own, or a hub with their name servers) is linked to a zone of "
        "this name whose * record is another's. One zone leads all who ask that network to the same endpoint.",
        "Use the endpoint that this zone names and delete this one; or set DNS_RECORD_MODE=union, so both stand in "
        "the record; or let this network ask Azure's name server, so that its own zone answers.",
        Hop.DNS,
    ),
    ReasonDoc(
        Reason.ANSWERING_NETWORK_NOT_LINKED,
        "The endpoint works, and its clients do not find it.",
        "The network asks name servers in another network (a hub's resolver or firewall), and that one is linked to no "
        "zone of this name.",
        "Add that network to DNS_LINK_VNETS, or link it to the zone.",
        Hop.DNS,
    ),
    ReasonDoc(
        Reason.NO_PLACE_FOR_ZONE,
        "The zone is not made.",
        "A resource group holds one zone of a name, and every group that zones may be made in has that of another "
        "network already.",
        "Add a resource group to DNS_ZONE_RESOURCE_GROUPS; without that setting, put the endpoint into a resource "
        "group of its own.",
        Hop.DNS,
    ),
    ReasonDoc(
        Reason.TOO_MANY_ZONES,
        "The zone is not made.",
        "The subscription has 950 private DNS zones or more; Azure allows 1,000.",
        "Add a resource group of another subscription to DNS_ZONE_RESOURCE_GROUPS, or delete zones that are not used.",
        Hop.DNS,
    ),
    ReasonDoc(
        Reason.NETWORK_NOT_FOUND,
        "A network of DNS_LINK_VNETS is not linked. The connection counts as Ready.",
        "The network does not exist: it was deleted or moved, or the setting has a typing error.",
        "Correct DNS_LINK_VNETS. A network that is made meanwhile is linked at the next re-run, or a day later.",
        Hop.NETWORK,
    ),
    ReasonDoc(
        Reason.RECORD_SHARED,
        "The connection is Ready, and its clients may be led to another endpoint.",
        "DNS_RECORD_MODE is union, and several endpoints share the zone: clients choose an address at random. An "
        "address of another network works only where there is a route to it.",
        "Check that the clients of each network reach all of these addresses.",
        Hop.DNS,
    ),
    ReasonDoc(
        Reason.RECORD_HELD_BY_OTHERS,
        "The * record points somewhere else, and nothing is linked to it.",
        "Others made the record, or another installation of the app did.",
        "Point it to the endpoint's address, or delete it; the app goes on by itself.",
        Hop.DNS,
    ),
    ReasonDoc(
        Reason.RECORD_HELD_BY_ANOTHER_ENDPOINT,
        "The * record points to another endpoint of the same region.",
        "A network has one zone of a name, and this zone one * record.",
        "Set DNS_RECORD_MODE=union, or delete one endpoint, if both are in one network. In different networks give "
        "this endpoint a resource group of its own.",
        Hop.DNS,
    ),
    ReasonDoc(
        Reason.RECORD_FULL,
        "The endpoint's address is not in the * record.",
        "It holds 20 addresses already, the most that Azure allows.",
        "Use a zone of its own for this network, or remove an endpoint.",
        Hop.DNS,
    ),
)
