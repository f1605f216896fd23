"""The product's library; see DESIGN's layers: `core` is pure, `clouds` and `state` are the edges, `reconcile` is the loop."""
