"""What a line of the log tells of a call that is settled."""

from waystation.ledger.records import LedgerRecord, bounded


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
