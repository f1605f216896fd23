"""What `python -m local` does: the stack that it starts, and the commands that talk to a running one."""
