"""The soak: a compressed day of real load, watched for growth."""
