"""Time to an event with follow-up that ends early: curves, tests, the Cox model, restricted means, competing risks."""
