"""Event Grid on one machine: the ARM events of a subscription, delivered to webhooks or a queue as documented.

`local.cli.stack` makes one `EventGrid`, adds `EventGrid.publish` to `ArmCloud.listeners` and subscribes the
function app. A `CustomTopic` is the other side: it takes the events that the function app publishes.
"""

from local.eventgrid.delivery import Answer, Deliver, DeliveryError, Destination
from local.eventgrid.grid import EventGrid, HandshakeError
from local.eventgrid.http import HttpDeliver
from local.eventgrid.payloads import PERSONAL_DATA, ResourceChange
from local.eventgrid.settings import EventGridSettings
from local.eventgrid.storage import AccountSettings, QueueDeliver, StorageAccount
from local.eventgrid.topic import AUDIENCE, CustomTopic, TopicSettings

__all__ = [
    "AUDIENCE",
    "PERSONAL_DATA",
    "AccountSettings",
    "Answer",
    "CustomTopic",
    "Deliver",
    "DeliveryError",
    "Destination",
    "EventGrid",
    "EventGridSettings",
    "HandshakeError",
    "HttpDeliver",
    "QueueDeliver",
    "ResourceChange",
    "StorageAccount",
    "TopicSettings",
]
