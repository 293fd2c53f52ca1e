"""People, their passwords and second factors, their sessions: in a database of its own, apart from the record."""
