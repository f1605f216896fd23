"""The only place that imports an Azure SDK or httpx: small async clients that speak core's values, raise core's errors.

The heavy libraries are imported when a client is first used, so a trigger that needs none of them starts fast.
"""
