"""/v1/usage and /v1/balance: what was used, what it cost, and what is left."""

from collections.abc import Callable
from typing import Annotated, Protocol

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from waystation.account.balance import balance_as_json, user_asked_for
from waystation.account.usage_query import Format, UsageQuery, parse_usage_query, query_of_next
from waystation.account.usage_service import UsageReport, UsageService
from waystation.account.usage_tables import currency_as_json, row_as_json, rows_as_csv
from waystation.identity.incoming import Incoming, incoming_of
from waystation.wire.moments import write_moment

_CSV = "text/csv; charset=utf-8; header=present"

Known = Annotated[Incoming, Depends(incoming_of)]


class UsageRuntime(Protocol):
    @property
    def usage(self) -> UsageService: ...
    @property
    def now_ms(self) -> Callable[[], int]: ...


def add_usage(router: APIRouter, get_runtime: Callable[[], UsageRuntime]) -> None:
    """Add the routes, which need a caller."""

    @router.get("/v1/usage", response_model=None)
    async def get_usage(request: Request, incoming: Known) -> dict[str, object] | Response:
        runtime = get_runtime()
        query = parse_usage_query(request.query_params.multi_items(), runtime.now_ms())
        report = await runtime.usage.usage(incoming.caller, query, incoming.ends_at)
        if _format(query, incoming) == "csv":
            headers = {"content-type": _CSV}
            if _has_more(query, report):
                headers["link"] = f'<?{query_of_next(request.query_params, query)}>; rel="next"'
            return Response(_as_csv(query, report), headers=headers)
        return _as_json(query, report)

    @router.get("/v1/balance")
    async def get_balance(request: Request, incoming: Known) -> dict[str, object]:
        user = user_asked_for(request.query_params.multi_items())
        report = await get_runtime().usage.balance(incoming.caller, user)
        return balance_as_json(report.balance, report.settings, report.currency)


def _format(query: UsageQuery, incoming: Incoming) -> Format:
    if query.format is not None:
        return query.format
    accepted = incoming.headers.get("accept", "").partition(",")[0].partition(";")[0]
    return "csv" if accepted.strip().lower() == "text/csv" else "json"


def _has_more(query: UsageQuery, report: UsageReport) -> bool:
    return query.offset + query.limit < len(report.rows)


def _as_json(query: UsageQuery, report: UsageReport) -> dict[str, object]:
    rows = report.rows[query.offset : query.offset + query.limit]
    return {
        "object": "usage",
        "from": write_moment(query.span.from_ms),
        "to": write_moment(query.span.to_ms),
        "group_by": query.group_by,
        "currency": currency_as_json(report.currency),
        "data": [row_as_json(row, query.group_by, report.currency) for row in rows],
        "total": row_as_json(report.total, (), report.currency),
        "has_more": _has_more(query, report),
    }


def _as_csv(query: UsageQuery, report: UsageReport) -> str:
    rows = report.rows[query.offset : query.offset + query.limit]
    return rows_as_csv(rows, query.group_by, report.currency)
