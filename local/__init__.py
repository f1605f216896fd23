"""The clouds on one machine, for running and testing the product; never deployed, never imported by the product."""
