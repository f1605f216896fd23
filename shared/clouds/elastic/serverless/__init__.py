"""Elastic Cloud Serverless behind the port `PrivateConnections`."""
