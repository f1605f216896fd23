"""Reasons of the health check: what a test of a private name can come to. Data for `shared.core.reasons`."""

from __future__ import annotations

from shared.core.model.reasons import Hop, Reason
from shared.core.reasons.entry import ReasonDoc

GOOD = (
    ReasonDoc(Reason.REACHABLE, "The product answers.", "The whole path works, from the name to the target."),
    ReasonDoc(
        Reason.PATH_WORKS,
        "Elastic's proxy answers; no target was asked.",
        "The path works, and the policy is associated with no target that could be tested.",
    ),
    ReasonDoc(
        Reason.NOT_TESTED,
        "Reachable is Unknown.",
        "DNS, policy or approval are not there yet, so a test could tell nothing.",
        "Wait: the app tests when they are. Look at the other conditions.",
    ),
)

_CHECK_DNS = (
    "Check that the zone has a * record and is linked to the virtual network, and that this network asks Azure "
    "(168.63.129.16) or forwards the zone to it."
)

NAMES = (
    ReasonDoc(
        Reason.NAME_NOT_FOUND,
        "The private name has no address.",
        "The zone has no * record, or a record of its own at es or kb hides the * there. The message says whether the "
        "zone's records say so, or the name server that the app asks.",
        _CHECK_DNS,
        Hop.DNS,
    ),
    ReasonDoc(
        Reason.RESOLVER_FAILED,
        "The name server gives no usable answer.",
        "It is down, does not accept the app's network, or its forwarder fails. Clients may be served.",
        "Check the DNS servers of the app's network and whether the app can reach them.",
        Hop.DNS,
    ),
    ReasonDoc(
        Reason.PUBLIC_ADDRESS,
        "The private name resolves to a public address.",
        "The name was looked up outside the private zone, or a record of its own holds that address.",
        _CHECK_DNS,
        Hop.DNS,
    ),
    ReasonDoc(
        Reason.WRONG_ADDRESS,
        "The private name resolves to another private address, or to more than the endpoint's.",
        "A record of its own hides the *, another zone of this name answers, or the record has addresses left over.",
        "Check which endpoint the zone's * record points to, and that no record of its own hides it; take out "
        "addresses of no working endpoint.",
        Hop.DNS,
    ),
    ReasonDoc(
        Reason.CUSTOM_DNS_SERVERS,
        "What the clients of the endpoint's network are answered is not known. The connection counts as Ready.",
        "The network has name servers of its own (dhcpOptions.dnsServers), and the app can read no network that "
        "contains them, or not the endpoint's network itself.",
        "Forward the zone to 168.63.129.16 out of a network that it is linked to. Add the network that contains the "
        "name servers to DNS_LINK_VNETS, or let the app read it.",
        Hop.DNS,
    ),
)

ROUTES = (
    ReasonDoc(
        Reason.NO_ROUTE,
        "The endpoint's address does not answer.",
        "The connection is not Approved: an endpoint has no route before.",
        "Check that the policy has exactly the endpoint's name and resource GUID.",
        Hop.APPROVAL,
    ),
    ReasonDoc(
        Reason.NO_ROUTE_ALTHOUGH_APPROVED,
        "The endpoint's address does not answer any more, or never did though the app is in the endpoint's network.",
        "Something between is broken: a firewall, a route, a peering, or the endpoint itself.",
        "Check network security groups, routes, firewalls and peering. If clients in the endpoint's own network fail "
        "too, create the endpoint again.",
        Hop.ENDPOINT,
    ),
    ReasonDoc(
        Reason.NO_ROUTE_FROM_APP,
        "Reachable is Unknown: the app has no way to the endpoint. The connection counts as Ready.",
        "No route leads from the app's network to the endpoint's, or a firewall drops the connection; a peering alone "
        "proves no route. Clients may be served: the app has not tested it.",
        "Peer the network of the app with the endpoint's, or route between them and let firewalls pass the port, if "
        "the app is to test it.",
        Hop.APP,
    ),
    ReasonDoc(
        Reason.REFUSED_ON_THE_WAY,
        "The app's connection is refused or reset. If it never came through, Reachable is Unknown and the connection "
        "counts as Ready.",
        "A firewall between the app's network and the endpoint's turns it away; other clients may take another way.",
        "Allow the port of the private URLs (9243 or 443) from the app's network to the endpoint's in the firewalls on "
        "the way.",
        Hop.APP,
    ),
    ReasonDoc(
        Reason.CERTIFICATE_MISMATCH,
        "The certificate is not for the private name.",
        "The zone's region is not the target's, or the host was taken out of a Cloud ID or is a CNAME.",
        "Check that the zone's region is the target's, and what listens at the address; use the private URLs that "
        "the app shows.",
        Hop.DNS,
    ),
    ReasonDoc(
        Reason.CERTIFICATE_NOT_TRUSTED,
        "The certificate is not trusted.",
        "A proxy or firewall in between replaces TLS certificates.",
        "Look for a proxy or firewall that replaces TLS certificates on the way, and take the private endpoint's "
        "address out of it.",
        Hop.ENDPOINT,
    ),
    ReasonDoc(
        Reason.TLS_FAILED,
        "The address takes connections and TLS fails.",
        "A firewall interferes with TLS, or the connection lost its approval meanwhile.",
        "Look for a firewall in between, and check that the connection is still Approved.",
        Hop.ENDPOINT,
    ),
)

ANSWERS = (
    ReasonDoc(
        Reason.NO_ANSWER,
        "TLS works and no HTTP answer comes.",
        "The target, or Elastic's proxy, is overloaded or restarting.",
        "Check the target's health in the Elastic Cloud console.",
        Hop.TARGET,
    ),
    ReasonDoc(
        Reason.FORBIDDEN_BY_POLICY,
        "403 from Elastic's proxy although the policy is associated.",
        "The policy has another GUID than the endpoint, or the association is not effective (yet).",
        "Check the policy's endpoint name and GUID. Associate it again if they are right and this lasts some minutes.",
        Hop.POLICY,
    ),
    ReasonDoc(
        Reason.NOT_ASSOCIATED,
        "403 from Elastic's proxy; the target has no policy.",
        "The endpoint's policy is not associated with the target.",
        "See condition Associated for what keeps it from being associated.",
        Hop.POLICY,
    ),
    ReasonDoc(
        Reason.ONLY_OTHER_POLICIES,
        "403 from Elastic's proxy; the target has policies of others only.",
        "None of them admits the endpoint, and its own policy is not associated.",
        "See condition Associated for what keeps it from being associated.",
        Hop.POLICY,
    ),
    ReasonDoc(
        Reason.UNKNOWN_RESOURCE,
        "404 from Elastic's proxy.",
        "It knows no target by this name: the alias was changed or removed, or the target is gone.",
        "Check whether the target was deleted, or its alias removed; the app follows a changed alias by itself.",
        Hop.TARGET,
    ),
    ReasonDoc(
        Reason.DEPLOYMENT_CHANGING,
        "The path works; the proxy does not lead to the deployment yet.",
        "The deployment is being made or reconfigured in Elastic Cloud.",
        "Wait: it takes minutes as a rule; the Elastic Cloud console shows how far the change is.",
        Hop.TARGET,
    ),
    ReasonDoc(
        Reason.ALIAS_NOT_SERVED,
        "A product answers by its id, and not by its alias.",
        "Elastic's proxy does not know the alias of every product at times (seen with Fleet).",
        "Use the name with the id that the message shows.",
        Hop.TARGET,
    ),
    ReasonDoc(
        Reason.ELASTICSEARCH_ERROR,
        "Elasticsearch answers with an error, or is not there behind the proxy.",
        "The target is overloaded, restarting or broken.",
        "Check the target's health in the Elastic Cloud console.",
        Hop.TARGET,
    ),
    ReasonDoc(
        Reason.SERVICE_ERROR,
        "Kibana, APM, Fleet or Enterprise Search answers with an error; Elasticsearch is well.",
        "That product is overloaded, restarting or broken.",
        "Check its health in the Elastic Cloud console; switch it off there if it is not used.",
        Hop.TARGET,
    ),
    ReasonDoc(
        Reason.UNEXPECTED_ANSWER,
        "Something answers that is not the product.",
        "A proxy, firewall or other service listens at the address.",
        "Check what listens there, and what is between.",
        Hop.ENDPOINT,
    ),
    ReasonDoc(
        Reason.PROBE_FAILED,
        "The test could not be carried out.",
        "The app's own machine could not do it, as when it has no free sockets.",
        "Wait: the next health check tries again. If it lasts, look at the app's log and restart it.",
        Hop.APP,
    ),
)
