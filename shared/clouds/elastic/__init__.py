"""Elastic Cloud: requests to its API, and one client for each family of targets (`hosted`)."""
