"""What a line of the log tells of a call: where it went, what it came to, whose fault it was."""

from waystation.config.schema import Endpoint
from waystation.errors import GatewayError, UpstreamError
from waystation.ledger.records import LedgerRecord, bounded

OTHER_MODELS = "other"

_TOO_MANY, _FAILURES = 429, range(500, 600)


def notes_of(record: LedgerRecord) -> dict[str, object]:
    """Return the fields of a call: its model, tokens and cost, no text of anyone's."""
    usage = record.usage
    return {
        "upstream_model": bounded(record.model),
        "error_code": record.error_code,
        "input_tokens": usage.input_tokens if usage else None,
        "output_tokens": usage.output_tokens if usage else None,
        "cache_read_tokens": usage.cache_read_tokens if usage else None,
        "cache_write_tokens": usage.cache_write_tokens if usage else None,
        "usage_source": usage.source if usage else None,
        "cost_nanousd": record.cost_nanousd,
    }


def listed_model(endpoint: Endpoint | None, model: str) -> str:
    """Return the model if its entry names it, else `other`.

    Metrics are counted by it, so that no client can make one for every name it thinks of.
    """
    is_named = endpoint is not None and (
        model in endpoint.models.default or model in endpoint.token_config
    )
    return model if is_named else OTHER_MODELS


def notes_of_error(error: GatewayError) -> dict[str, object]:
    """Return the code of an error, and where it comes from: `client`, `upstream` or `gateway`.

    What an upstream refuses in a request, or in a user's own key, comes from the client.
    """
    source = "client"
    if isinstance(error, UpstreamError) and error.status in (_TOO_MANY, *_FAILURES):
        source = "upstream"
    elif error.status in _FAILURES:
        source = "gateway"
    return {"error_code": error.code or error.type, "error_source": source}
