"""The HTTP interface: what programs may ask, under the same rights, rules and steps as the pages."""
