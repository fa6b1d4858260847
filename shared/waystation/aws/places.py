"""Where the services of AWS are: pure."""

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}
# Partitions with a domain of their own, by the beginning of their regions' names.
# Source: https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html,
# 2026-11
_DOMAINS = {"cn-": "amazonaws.com.cn", "eusc-": "amazonaws.eu"}
_DOMAIN = "amazonaws.com"


class Place(NamedTuple):
    """Where connections go to."""

    is_tls: bool
    host: str
    port: int

    @property
    def authority(self) -> str:
        """The value of the header `host`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (
            host
            if self.port == _PORTS["https" if self.is_tls else "http"]
            else (f"{host}:{self.port}")
        )


def parse_place(url: str) -> Place:
    """Return the place that a URL without a path names. Raises ValueError."""
    parts = urlsplit(url)
    port = parts.port or _PORTS.get(parts.scheme)
    has_more = parts.path not in ("", "/") or parts.query or parts.fragment or parts.username
    if port is None or not parts.hostname or has_more:
        raise ValueError("expected http://host:port or https://host:port")
    return Place(parts.scheme == "https", parts.hostname, port)


def custom_place(service: str, env: Mapping[str, str]) -> Place | None:
    """Return where the environment says that a service is. Raises ValueError."""
    name = f"AWS_ENDPOINT_URL_{service.upper()}"
    url = env.get(name) or env.get("AWS_ENDPOINT_URL")
    return parse_place(url) if url else None


def regional_place(service: str, region: str) -> Place:
    """Return where a service of a region is."""
    domain = next((d for prefix, d in _DOMAINS.items() if region.startswith(prefix)), _DOMAIN)
    return Place(is_tls=True, host=f"{service}.{region}.{domain}", port=_PORTS["https"])
