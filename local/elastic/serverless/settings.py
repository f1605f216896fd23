"""The switches of Elastic Cloud Serverless; read by every part of `local.elastic.serverless`, set by tests.

Each stands for something that Elastic's documents leave open. The default is what is documented or was seen, else what
is hardest on a careless client; each field says which.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(slots=True)
class ServerlessSettings:
    """How the Serverless API behaves where the documents are silent."""

    # Traffic filters.
    conflict_on: Literal["nothing", "name", "guid"] = "nothing"
    """What a second filter with the same name or endpoint is refused for, with the declared 409. What that 409 means is
    not documented; by default nothing is, so that a blind retry really makes a second."""
    list_hides: Literal["defaults", "others", "nothing"] = "defaults"
    """What the query `include_by_default` leaves out, undocumented. "defaults": `false`, which is its default, hides
    the filters that new projects get by themselves; "others": and `true` shows only these; "nothing": both show all."""
    page_size: int = 1000
    """Filters in one page at most; 1 to 1000 may be asked for by header."""
    next_page_in: Literal["body", "header", "both"] = "both"
    """Where the token of the next page stands: the older description names the body, the newer one the header."""
    empty_pages: bool = False
    """A page without filters before the last one: documented as possible."""
    delete_with_associations: Literal[400, 409] = 400
    """Status of the refusal to delete a filter in use: 400 with its text is documented, 409 declared too."""
    deleted_status: Literal[200, 204] = 204
    """Status of a deletion: both are documented."""
    create_lag_seconds: float = 0.0
    """For so long a new filter is in no list and found by no id. Undocumented."""
    max_filters: int = 1024
    """Filters of one organization: documented."""

    # Projects.
    honours_if_match: bool = True
    """False: a PATCH with an old ETag is applied all the same. It is documented that it is refused with 412."""
    null_lists: bool = False
    """`null` where a project has no filters; the field may be `null` by its description."""
    private_endpoints: Literal["always", "filter", "associated", "never"] = "always"
    """When a project shows its private URLs: in every region with Private Link, once the region has a private endpoint
    filter, or once one is associated. Documented as "when PrivateLink is enabled"."""
    project_lag_seconds: float = 0.0
    """For so long after a change of its list a project is shown as before, with the ETag of before. Undocumented."""
    association_effect_seconds: float = 0.0
    """For so long after a project's list names it a filter is not enforced. Undocumented."""
    disassociation_effect_seconds: float = 0.0
    """For so long a filter that left a project's list is still enforced. Undocumented."""
    tier_refusal: Literal[400, 403] = 403
    """Status for a filter on an Observability or Security project below the tier that is documented as needed."""

    # Key.
    project_roles: bool = True
    """False: the key has no role on any project; lists are empty, as nothing but 200 and 401 is declared for them."""
    editable_projects: set[str] | None = None
    """Projects on which the key has the role Editor; None: on all."""
    invisible_projects: set[str] = field(default_factory=set)
    """Projects that the key may not see."""
