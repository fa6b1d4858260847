"""Fetches what the first request of a process needs while it is still being looked at."""

import contextlib

from waystation.aws.parameters import MAX_NAMES
from waystation.calls.target import variables_of
from waystation.config.snapshot import SnapshotSource
from waystation.config.templates import VariableResolver
from waystation.errors import GatewayError


async def fetch_ahead(config: SnapshotSource, secrets: VariableResolver) -> None:
    """Load the configuration, and the secrets of its entries if one call of SSM has them all.

    Never raises: who needs what could not be had asks again, and is told.
    """
    with contextlib.suppress(GatewayError):
        snapshot = await config.snapshot()
        names = {name for endpoint in snapshot.endpoints for name in variables_of(endpoint)}
        if 0 < len(names) <= MAX_NAMES:
            await secrets.resolve(names)
