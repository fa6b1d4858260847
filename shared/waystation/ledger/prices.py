"""Who knows what a model costs: several books, asked in turn, the surest first."""

from typing import Protocol

from waystation.config.schema import Endpoint
from waystation.ledger.pricing import Rates, rates_of


class PriceBook(Protocol):
    """One source of prices."""

    async def find(self, endpoint: Endpoint, base_url: str, model: str) -> Rates | None:
        """Return the rates of a model as it was sent, None if they are not known. Never raises."""


class ConfiguredPrices:
    """The tokenConfig of the entry."""

    async def find(self, endpoint: Endpoint, base_url: str, model: str) -> Rates | None:
        return rates_of(endpoint, model)


class PriceBooks:
    """The first price that any of the books has."""

    def __init__(self, *books: PriceBook) -> None:
        self._books = books

    async def find(self, endpoint: Endpoint, base_url: str, model: str) -> Rates | None:
        for book in self._books:
            rates = await book.find(endpoint, base_url, model)
            if rates is not None:
                return rates
        return None
