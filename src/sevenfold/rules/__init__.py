"""What the plan means at a moment: pure functions of protocol and observations, written once, called by everyone."""
