"""What happened: an append-only, hash-chained stream of events; everything else is a fold of it."""
