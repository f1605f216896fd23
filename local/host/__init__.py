"""A small Azure Functions host for one machine: it serves the URLs of the real one and runs a real Python v2 app.

`FunctionsHost` is the whole of it in one process (fast tests); `python -m local.host` serves it on a socket;
`launch.host_command` says which host to start: Core Tools where installed, else this one. What it runs is the app as
decorated, through the converters of the `azure-functions` library. It has the triggers http, queue, timer and Event
Grid and the queue output; an app with anything else is refused at start.
"""

from local.host.definition import FunctionDefinition, HostError, index, load_app
from local.host.host import FunctionsHost
from local.host.keys import Keys
from local.host.memory_queues import MemoryQueueService
from local.host.settings import HostSettings

__all__ = [
    "FunctionDefinition",
    "FunctionsHost",
    "HostError",
    "HostSettings",
    "Keys",
    "MemoryQueueService",
    "index",
    "load_app",
]
