"""The triggers: each parses what came, calls one use case of `shared`, and shapes the answer. No logic lives here."""
