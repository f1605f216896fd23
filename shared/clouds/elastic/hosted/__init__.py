"""The API of Elastic Cloud Hosted: traffic filter rulesets, their associations, claims, deployments."""
