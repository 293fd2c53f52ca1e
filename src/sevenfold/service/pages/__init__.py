"""One file a screen: what it shows, what it takes, and the right that each needs."""
