"""One call, routed: everything that is known before the upstream is asked."""

from dataclasses import dataclass, field

from waystation.config.schema import Endpoint
from waystation.config.schema_balance import BalanceSettings
from waystation.credentials.own import OwnCredentials
from waystation.egress.deadlines import Deadline
from waystation.ledger.records import Idempotency, Kind
from waystation.wire.answers import Client
from waystation.wire.chat_request import ChatRequest


@dataclass(frozen=True, slots=True)
class Call:
    """`placeholders` are the values of `{{LIBRECHAT_…}}`, keyed `USER_…` and `BODY_…`.

    `plainer` is the same request without an answer by a schema, for an upstream that refuses one.
    `own` is what the request itself brings for an endpoint with `user_provided`;
    `own_has_expired` is what the client says of the key it has stored. `allowed_addresses` are the
    exact `host:port` pairs that the operator lets upstreams have. `client` may leave at any time.
    `balance` limits what its user may spend. With `idempotency` it is made once.
    """

    request_id: str
    endpoint: Endpoint
    model: str
    request: ChatRequest
    user_id: str
    key_id: str
    placeholders: dict[str, str] = field(repr=False)
    config_version: str
    deadline: Deadline
    created_at_ms: int
    kind: Kind = "chat"
    plainer: ChatRequest | None = None
    own: OwnCredentials | None = None
    own_has_expired: bool = False
    allowed_addresses: frozenset[str] = frozenset()
    client: Client = field(default_factory=Client)
    balance: BalanceSettings | None = None
    idempotency: Idempotency | None = None
