"""Which events tell what becomes of connections and keys, and when. Pure; sent by `shared.notifications`."""
