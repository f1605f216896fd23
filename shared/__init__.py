"""The product's library: `core` is pure, `clouds`, `state` and `probe` are the edges, `reconcile` is the loop."""
