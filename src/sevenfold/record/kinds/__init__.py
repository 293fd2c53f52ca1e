"""The kinds of events, by what they are about. None has a place for an arm."""
