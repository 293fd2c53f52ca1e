"""How patients differ, and virtual ones drawn from that."""
