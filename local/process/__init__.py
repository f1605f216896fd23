"""Processes of this machine: children that end with us, free ports, programs from npm, an ASGI app that is served."""
