"""Makes what calls AWS: at start, without a call. Connections are opened when they are needed."""

import ssl
from collections.abc import Callable, Mapping

from waystation.aws.credentials import CredentialSource, read_credentials
from waystation.aws.objects import Bucket
from waystation.aws.places import Place, custom_place, regional_place
from waystation.aws.service import Service
from waystation.aws.signing import Signer
from waystation.aws.transport import Transport
from waystation.settings import SettingsError


class AwsClients:
    """Services that share connections, credentials and a region."""

    def __init__(
        self,
        env: Mapping[str, str],
        *,
        make_tls: Callable[[], ssl.SSLContext] = ssl.create_default_context,
        credentials: CredentialSource | None = None,
    ) -> None:
        """Take AWS's variables, and what makes the TLS context, if one is needed.

        Credentials are the environment's unless they are given. Raises SettingsError for what
        cannot be used, as do the methods.
        """
        region = env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION")
        if not region:
            raise SettingsError("AWS_REGION is not set")
        self._env = env
        self._region = region
        self._transport = Transport(make_tls)
        try:
            self._credentials = credentials or read_credentials(env, self._transport)
        except ValueError as error:
            raise SettingsError(str(error)) from error

    def service(self, name: str) -> Service:
        """Return a service by the name it has in hosts."""
        place = self._custom(name) or regional_place(name, self._region)
        return self._service(name, place)

    def bucket(self, name: str) -> Bucket:
        """Return a bucket, by a host of its own where it can have one."""
        place = self._custom("s3")
        if place is None and "." not in name:  # a wildcard certificate covers one label
            return Bucket(self._service("s3", regional_place(f"{name}.s3", self._region)))
        place = place or regional_place("s3", self._region)
        return Bucket(self._service("s3", place), path=f"/{name}")

    def close(self) -> None:
        """Close the connections that are idle, while their event loop runs."""
        self._transport.close()

    def _custom(self, name: str) -> Place | None:
        try:
            return custom_place(name, self._env)
        except ValueError as error:
            raise SettingsError(f"AWS_ENDPOINT_URL: {error}") from error

    def _service(self, name: str, place: Place) -> Service:
        if place.is_tls:
            self._transport.tls()  # reading certificates takes long: not while a request waits
        return Service(place, Signer(name, self._region), self._credentials, self._transport)


def tls_with(ca_bundle: str) -> ssl.SSLContext:
    """Return a context that trusts a file of certificates beside the system's.

    Raises SettingsError.
    """
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(ca_bundle)
    except OSError as error:
        raise SettingsError("CA_BUNDLE cannot be used") from error
    return context
