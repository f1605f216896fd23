"""The clouds on one machine, for running and testing the product; never deployed, imported by nothing in the product."""
