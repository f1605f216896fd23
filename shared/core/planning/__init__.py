"""What is to be done: from what is observed and what is asked for to steps, conditions and the next look. Pure."""
