"""Published numbers and publications as data, each with its source and how far it can be trusted."""
