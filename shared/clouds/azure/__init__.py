"""Azure Resource Manager and Event Grid: clients of the SDKs that speak the values of `core.model`."""
