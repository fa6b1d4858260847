"""Says which of key, URL, model, request and network is wrong, after a call that failed.

Messages name variables, keys of the file and fields; never a URL, a header or a value.
"""

import re
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx2

from waystation.errors import ConfigError
from waystation_cli.probing.exchange import Exchange
from waystation_cli.probing.outcome import Cause, Diagnosis, Way
from waystation_cli.probing.told import Told, read_error

_UNDROPPABLE = frozenset({"model", "messages", "input", "stream"})
_WEB_PAGE = frozenset({"text/html", "application/xhtml+xml"})

NETWORK: tuple[tuple[tuple[type[BaseException], ...], Cause, str], ...] = (
    ((socket.gaierror,), "network", "DNS knows no address of the host in {url}."),
    (
        (UnicodeError, httpx2.InvalidURL, httpx2.UnsupportedProtocol),
        "url",
        "{url} is not a URL that can be called.",
    ),
    (
        (ssl.SSLCertVerificationError,),
        "network",
        "The TLS certificate at {url} is not trusted: {reason}.",
    ),
    (
        (ssl.SSLError,),
        "network",
        "What listens at {url} does not speak TLS. Is it http, or another port?",
    ),
    ((ConnectionRefusedError,), "network", "Nothing listens at host and port of {url}."),
    (
        (httpx2.ConnectTimeout,),
        "network",
        "No connection to {url} in time: is the host right, and does a firewall let it through?",
    ),
    ((httpx2.TimeoutException,), "network", "No whole answer within {timeout_s:g} s."),
    ((httpx2.ConnectError,), "network", "{url} cannot be reached from here."),
    (
        (httpx2.RequestError,),
        "network",
        "The connection broke before the answer was whole, or {url} does not speak HTTP.",
    ),
)


@dataclass(frozen=True, slots=True)
class Suspects:
    """What one way depends on, by the names that an operator knows.

    `url` and `key` say where they come from; `sent` are the fields of the request.
    """

    way: Way
    url: str
    key: str
    api: str
    model: str
    sent: frozenset[str] = frozenset()
    secrets: tuple[str, ...] = field(default=(), repr=False)


def diagnose(error: Exception, exchange: Exchange, suspects: Suspects) -> Diagnosis:
    """Say what a failed call shows. `error` is what the SDK raised."""
    if isinstance(error, ConfigError):
        return Diagnosis("config", error.message)
    broken = _network_problem(error, exchange, suspects)
    if broken is not None:
        return broken
    if exchange.status is None:
        return Diagnosis("request", f"The SDK does not send this: {type(error).__name__}.")
    told = read_error(error, exchange.media_type, suspects.secrets)
    if suspects.way == "gateway" and told.code in GATEWAY_CODES:
        cause, meaning = GATEWAY_CODES[told.code]
        return Diagnosis(cause, f"{meaning.format(key=suspects.key)}{told.quoted}")
    return _by_status(exchange, told, suspects)


def told_by(error: Exception, exchange: Exchange, suspects: Suspects) -> Told:
    """Return what the answer itself says."""
    return read_error(error, exchange.media_type, suspects.secrets)


def _network_problem(error: Exception, exchange: Exchange, suspects: Suspects) -> Diagnosis | None:
    chain = list(_chain(error))
    for kinds, cause, text in NETWORK:
        found = next((one for one in chain if isinstance(one, kinds)), None)
        if found is not None:
            reason = str(getattr(found, "verify_message", "")).partition(",")[0]
            known = {"url": suspects.url, "timeout_s": exchange.timeout_s, "reason": reason}
            return Diagnosis(cause, text.format_map(known))
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _by_status(exchange: Exchange, told: Told, suspects: Suspects) -> Diagnosis:
    status = exchange.status or 0
    if exchange.media_type in _WEB_PAGE and status in {200, 404, 405}:
        return Diagnosis(
            "url", f"{suspects.url} points to a web page: status {status}, HTML instead of JSON."
        )
    explain = _STATUSES.get(status) or _CLASSES.get(status // 100, _unexpected)
    return explain(exchange, told, suspects)


def _not_an_answer(exchange: Exchange, told: Told, suspects: Suspects) -> Diagnosis:
    if told.message:
        return Diagnosis("upstream", f"The answer, of status 200, is an error.{told.quoted}")
    kind = exchange.media_type or "without a content type"
    text = f"The answer ({kind}) is none of the {suspects.api} API: is {suspects.url} right?"
    return Diagnosis("url", text)


def _redirect(exchange: Exchange, _: Told, suspects: Suspects) -> Diagnosis:
    text = f"Status {exchange.status}: {suspects.url} redirects {_direction(exchange)}."
    return Diagnosis("url", f"{text} Redirects are not followed.")


def _direction(exchange: Exchange) -> str:
    """Say where a redirect leads, without naming the place."""
    own, other = urlsplit(str(exchange.target)), urlsplit(exchange.location)
    if other.hostname not in {None, own.hostname}:
        return "to another host"
    if (own.scheme, other.scheme) == ("http", "https"):
        return "to https"
    return "to another path"


def _key_refused(exchange: Exchange, told: Told, suspects: Suspects) -> Diagnosis:
    text = f"Status {exchange.status}: the key is refused. It comes from {suspects.key}."
    return Diagnosis("key", text + told.quoted)


def _payment(exchange: Exchange, told: Told, suspects: Suspects) -> Diagnosis:
    text = f"Status {exchange.status}: the account of the key ({suspects.key}) has to be paid for."
    return Diagnosis("quota", text + told.quoted)


def _nothing_there(exchange: Exchange, told: Told, suspects: Suspects) -> Diagnosis:
    if names_model(told, suspects.model):
        return Diagnosis("model", f"There is no such model.{told.quoted}")
    text = f"Status {exchange.status}: {suspects.url} has nothing there, or there is no such model."
    return Diagnosis("url", text + told.quoted)


def names_model(told: Told, model: str) -> bool:
    """Tell whether an error is about the model."""
    return told.code == "model_not_found" or model in told.message


def _refused(exchange: Exchange, told: Told, suspects: Suspects) -> Diagnosis:
    text = f"Status {exchange.status}: the request is refused.{told.quoted}"
    words = set(re.findall(r"\w+", f"{told.message} {told.param}"))
    named = sorted(words & suspects.sent - _UNDROPPABLE)
    if named:
        text += f" In dropParams, it would not be sent: {', '.join(named)}."
    return Diagnosis("request", text)


def _too_many(exchange: Exchange, told: Told, _: Suspects) -> Diagnosis:
    text = f"Status {exchange.status}: too many requests, or a quota that is used up."
    return Diagnosis("quota", text + told.quoted)


def _own_fault(exchange: Exchange, told: Told, suspects: Suspects) -> Diagnosis:
    who: Cause = "gateway" if suspects.way == "gateway" else "upstream"
    return Diagnosis(who, f"Status {exchange.status}: the {who} itself fails.{told.quoted}")


def _unexpected(exchange: Exchange, told: Told, suspects: Suspects) -> Diagnosis:
    text = f"Status {exchange.status}, which the {suspects.api} API does not know."
    return Diagnosis("upstream", text + told.quoted)


_Explain = Callable[[Exchange, Told, Suspects], Diagnosis]
_STATUSES: Mapping[int, _Explain] = {
    401: _key_refused,
    402: _payment,
    403: _key_refused,
    404: _nothing_there,
    405: _nothing_there,
    429: _too_many,
}
_CLASSES: Mapping[int, _Explain] = {2: _not_an_answer, 3: _redirect, 4: _refused, 5: _own_fault}

GATEWAY_CODES: Mapping[str, tuple[Cause, str]] = {
    "invalid_api_key": ("key", "The gateway refuses the key. It comes from {key}."),
    "missing_user_key": ("key", "The key of this endpoint is each user's own."),
    "missing_user_base_url": ("url", "The URL of this endpoint is each user's own."),
    "not_found": ("url", "The gateway has no such route: is the URL the one without a path?"),
    "endpoint_not_found": ("config", "The gateway's file has no such endpoint."),
    "model_not_found": ("model", "The model is not among models.default."),
    "endpoint_misconfigured": ("config", "The gateway cannot use the entry."),
    "config_unavailable": ("config", "The gateway has no file it can use."),
    "secret_unavailable": ("gateway", "The gateway does not get at its secrets."),
    "ledger_unavailable": ("gateway", "The gateway does not get at its table."),
    "internal_error": ("gateway", "The gateway failed; its log tells more."),
    "upstream_auth_failed": ("key", "The upstream refuses the gateway's key."),
    "upstream_rate_limited": ("quota", "The upstream has had too many requests."),
    "upstream_unreachable": ("network", "The gateway cannot reach the upstream."),
    "upstream_timeout": ("network", "The upstream takes too long for the gateway."),
    "upstream_redirect": ("url", "The upstream redirects the gateway."),
    "upstream_invalid_response": (
        "url",
        "The upstream's answer to the gateway is none of its API.",
    ),
    "upstream_error": ("upstream", "The upstream fails when the gateway asks."),
    "response_too_large": ("upstream", "The upstream's answer is too large for the gateway."),
}
