"""The accounts: what each request used and cost."""
