"""The operator's command line and the local stack. Never shipped to Lambda."""
