"""Elastic Cloud Serverless: projects, their traffic filters and metadata, at the same address as hosted deployments."""

from local.elastic.serverless.cloud import ServerlessCloud
from local.elastic.serverless.projects import Project
from local.elastic.serverless.regions import ServerlessRegion
from local.elastic.serverless.settings import ServerlessSettings

__all__ = ["Project", "ServerlessCloud", "ServerlessRegion", "ServerlessSettings"]
