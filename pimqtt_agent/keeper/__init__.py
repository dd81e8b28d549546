"""A keeper: the process that owns hardware and runs drivers under leases."""
