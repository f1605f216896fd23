"""What holds for the whole installation: the pause, the limit of removals, the last sweep. Kept in table `control`."""
