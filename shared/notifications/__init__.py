"""Events to a topic of the user's: `outbox` stores and sends what `core.notifications` decides to say."""
