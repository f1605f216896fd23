"""What an entry of the catalogue is. Used by the modules that hold the entries and by `shared.core.reasons`."""

from __future__ import annotations

from dataclasses import dataclass

from shared.core.model.reasons import Hop, Reason


@dataclass(frozen=True, slots=True)
class ReasonDoc:
    """What is true of every case of a reason. The code that gives it adds the names and addresses of the case."""

    reason: Reason
    symptom: str
    """What is seen."""
    cause: str
    """Why it is so."""
    remedy: str = ""
    """What a person does; empty: nothing, all is well."""
    hop: Hop | None = None
    """Where on the path; None: where the condition belongs that has this reason."""
    commands: tuple[str, ...] = ()
    """What a person runs, in order; `<...>` is to be filled in."""
    project_commands: tuple[str, ...] = ()
    """The same where the connection is one to Serverless projects."""
    only_in_azure: str = ""
    """A page of Azure's, where only Azure can help."""
