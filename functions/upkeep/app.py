"""Upkeep of the ledger: the schedule's events, and batches of messages from the outbox.

Reads the index of open records, writes the ledger. No HTTP.
"""

from waystation.bootstrap.upkeep import start_upkeep
from waystation.web.lambda_upkeep import handle_upkeep

handler = handle_upkeep(start_upkeep())
