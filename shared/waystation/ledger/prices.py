"""Who knows what a model costs: several books, asked in turn, the surest first."""

from typing import Protocol

from waystation.config.schema import Endpoint
from waystation.ledger.pricing import Price, rates_of


class PriceBook(Protocol):
    """One source of prices."""

    async def find(self, endpoint: Endpoint, base_url: str, model: str) -> Price | None:
        """Return the price of a model as it was sent, None if it is not known. Never raises."""


class ConfiguredPrices:
    """The tokenConfig of the entry."""

    async def find(self, endpoint: Endpoint, base_url: str, model: str) -> Price | None:
        rates = rates_of(endpoint, model)
        return Price(rates, "tokenConfig") if rates is not None else None


class PriceBooks:
    """The first price that any of the books has."""

    def __init__(self, *books: PriceBook) -> None:
        self._books = books

    async def find(self, endpoint: Endpoint, base_url: str, model: str) -> Price | None:
        for book in self._books:
            price = await book.find(endpoint, base_url, model)
            if price is not None:
                return price
        return None
