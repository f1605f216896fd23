"""What exactly is unknown about an alias that looks like one of Elastic's, for a person. Pure. Used by `desired`."""

from __future__ import annotations

from shared.core.model.services import Family, Recognition, Service, Services, Unknown

TARGETS = {Family.HOSTED: "deployments", Family.SERVERLESS: "Serverless projects"}
_LOOKED_UP = {
    Family.HOSTED: "",
    Family.SERVERLESS: " The app asks Elastic Cloud for the services of projects itself, at most once an hour.",
}


def what_is_unknown(found: Recognition, services: Services) -> tuple[str, str]:
    """The message and the next step."""
    if found.seems is None:
        message = (
            f"The alias {found.alias} is named like one of Elastic's, but follows another pattern than those of "
            "deployments and of Serverless projects."
        )
        return message, "Compare the alias with the table in Elastic's guide, and create the endpoint with that one."
    seems, known = found.seems, services.of(found.seems.family, found.seems.region)
    if found.unknown is Unknown.GUID and known is not None:
        message = (
            f"The alias {found.alias} is no known one: Elastic's service for {TARGETS[seems.family]} in "
            f"{seems.region} has the alias {known.alias}, and this one has another GUID or number."
        )
        step = "Compare the GUID with Elastic's guide: if the service moved, name the alias in ELASTIC_SERVICES."
        return message + _LOOKED_UP[seems.family], step
    message = (
        f"The alias {found.alias} is no known one: no service for {TARGETS[seems.family]} in region "
        f"{seems.region} is known.{_other_family(seems, services)}{_LOOKED_UP[seems.family]}"
    )
    regions = ", ".join(sorted(service.region for service in services.of_family(seems.family)))
    return message, f"Name it in ELASTIC_SERVICES if it is in Elastic's guide. Regions known: {regions}."


def _other_family(seems: Service, services: Services) -> str:
    other = Family.HOSTED if seems.family is Family.SERVERLESS else Family.SERVERLESS
    return f" The region has one for {TARGETS[other]}." if services.of(other, seems.region) is not None else ""
