"""The edge at which people run a trial: web pages and an HTTP interface over conduct, ledger and vault."""
