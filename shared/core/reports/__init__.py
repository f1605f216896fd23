"""What a person reads: a plan as text, and what is wrong with the installation. Pure."""
