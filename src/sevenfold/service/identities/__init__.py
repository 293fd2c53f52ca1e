"""Who a subject is: kept at the site, apart from the record, so that it can be destroyed."""
