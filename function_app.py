"""The function app: registers the blueprints, nothing else. Found by the Functions host and by its name."""

from __future__ import annotations

import azure.functions as func

from functions import connections, dashboard, endpoint_events, health, installation, pause, plans, reconcile
from shared.app import check_settings, quiet_libraries

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
app.register_functions(endpoint_events.blueprint)
app.register_functions(reconcile.blueprint)
app.register_functions(health.blueprint)
app.register_functions(connections.blueprint)
app.register_functions(installation.blueprint)
app.register_functions(pause.blueprint)
app.register_functions(dashboard.blueprint)
app.register_functions(plans.blueprint)

quiet_libraries()
# Wrong settings are logged in full now, not at the first event; a failing import would leave no functions at all.
check_settings()
