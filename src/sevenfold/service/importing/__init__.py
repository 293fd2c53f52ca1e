"""Results from a file: read, held against the record, shown, and recorded when somebody has confirmed."""
