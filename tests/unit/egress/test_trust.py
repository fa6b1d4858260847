"""Whom connections trust where no bundle says it."""

import ssl
import sys
from pathlib import Path

import httpx2
import pytest

from tests.support.certificates import self_signed
from waystation.egress.trust import trust_the_system


def told(context: ssl.SSLContext) -> tuple[object, ...]:
    checks = (context.verify_mode, context.check_hostname, context.verify_flags, context.options)
    return (*checks, context.minimum_version, sorted(context.get_ca_certs(binary_form=True)))


def places(file: Path, directory: Path) -> ssl.DefaultVerifyPaths:
    return ssl.DefaultVerifyPaths("", "", "", str(file), "", str(directory))


def test_trust_is_what_httpx2_has() -> None:
    context = trust_the_system()

    assert told(context) == told(httpx2.create_ssl_context(trust_env=False))
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems keep no such file")
def test_the_systems_file_is_read_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, bundle = self_signed(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", "/dev/null")
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: places(bundle, tmp_path / "none"))

    assert len(trust_the_system().get_ca_certs()) == 1


def test_without_such_a_file_httpx2_looks_for_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    none = places(tmp_path / "none", tmp_path / "none")
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: none)

    assert told(trust_the_system()) == told(httpx2.create_ssl_context(trust_env=False))
