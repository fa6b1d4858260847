"""Whom connections trust: the certificates of the system, as httpx2 finds them.

httpx2 would import its own transport for that, which serves proxies alone and costs a cold start
20 ms. What it does beyond the common case is left to it.
"""

import ssl
import sys
from pathlib import Path

import httpx2


def trust_the_system() -> ssl.SSLContext:
    """Return a context that trusts what the system does. `SSL_CERT_FILE` and the like are not read.

    Source: httpcore2 2.16, `_ssl.py`, 2026-11.
    """
    places = ssl.get_default_verify_paths()
    if sys.platform != "linux" or not Path(places.openssl_cafile).is_file():
        return httpx2.create_ssl_context(trust_env=False)
    directory = places.openssl_capath if Path(places.openssl_capath).is_dir() else None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(places.openssl_cafile, directory)
    return context
