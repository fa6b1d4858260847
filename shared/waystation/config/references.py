"""What operator text may refer to: `${NAME}` variables and `{{LIBRECHAT_…}}` placeholders.

Only which names there are; `templates` puts values in their place.
"""

import re

VARIABLE = re.compile(r"\$\{([^}]*)(\}?)")
"""A variable and its closing brace, which is empty when the text ends before it."""

PLACEHOLDER = re.compile(r"\{\{(LIBRECHAT\w*)\}\}")

USER_FIELDS = [
    "id",
    "name",
    "username",
    "email",
    "provider",
    "role",
    "googleId",
    "facebookId",
    "openidId",
    "samlId",
    "ldapId",
    "githubId",
    "discordId",
    "appleId",
    "emailVerified",
    "twoFactorEnabled",
    "termsAccepted",
    "termsAcceptedAt",
]
BODY_FIELDS = ("conversationId", "parentMessageId", "messageId")
PLACEHOLDERS = frozenset(
    [f"LIBRECHAT_USER_{field.upper()}" for field in USER_FIELDS]
    + [f"LIBRECHAT_BODY_{field.upper()}" for field in BODY_FIELDS]
)

_VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ALMOST_PLACEHOLDER = re.compile(r"\{\{\s?librechat_", re.IGNORECASE)
# The runtime's own, those LibreChat never expands, and the gateway's settings.
_REFUSED_PREFIXES = ("_", "AWS_", "LAMBDA_", "LD_", "PYTHON", "JWT_", "CREDS_", "REDIS_")
_REFUSED = frozenset(
    [
        "PATH",
        "HOME",
        "MEILI_MASTER_KEY",
        "MONGO_URI",
        "CONFIG_URI",
        "SECRETS_PREFIX",
        "TABLE_NAME",
        "AUTH_MODES",
        "USER_CLAIMS",
        "ADMIN_CLAIM",
        "TRUSTED_CLAIM",
        "USER_ID_PREFIX",
        "CORS_ORIGINS",
        "RESPONSE_MODE",
        "FIRST_BYTE_TIMEOUT_S",
        "IDLE_TIMEOUT_S",
        "PUBLIC_PRICES",
        "BALANCE_OWN_KEYS",
        "TITLE_FUNCTION",
        "OUTBOX_URL",
        "SWEEP_POLICY",
        "KMS_KEY_ID",
        "LOG_LEVEL",
        "METRICS",
        "PUBLIC_PRICES",
        "EGRESS_PROXY",
        "CA_BUNDLE",
        "GATEWAY_ALLOWED_ADDRESSES",
        "PUBLIC_PRICES",
        "VIA_TOKEN",
    ]
)
_ALLOWED = frozenset({"AWS_REGION", "AWS_DEFAULT_REGION"})


def is_variable_name(name: str) -> bool:
    """Tell whether `name` has the form of a variable's name."""
    return _VARIABLE_NAME.fullmatch(name) is not None


def is_allowed_variable(name: str) -> bool:
    """Tell whether operator text may read the variable `name`."""
    if name in _ALLOWED:
        return True
    return is_variable_name(name) and not (name in _REFUSED or name.startswith(_REFUSED_PREFIXES))


def variable_problem(text: str) -> str | None:
    """Return what is wrong with the variables in `text`; names only well-formed ones."""
    for name, closing in VARIABLE.findall(text):
        if not closing:
            return "expected a } that closes ${"
        if not is_variable_name(name):
            return "expected a name of letters, digits and underscores between ${ and }"
        if not is_allowed_variable(name):
            return f"the variable {name} is reserved and cannot be used here"
    return None


def placeholder_problem(text: str) -> str | None:
    """Return what is wrong with the placeholders in `text`."""
    for name in PLACEHOLDER.findall(text):
        if name not in PLACEHOLDERS:
            return f"there is no placeholder {{{{{name}}}}}"
    return None


def has_almost_placeholder(text: str) -> bool:
    """Tell whether something in `text` looks like a placeholder but is plain text."""
    return _ALMOST_PLACEHOLDER.search(PLACEHOLDER.sub(" ", text)) is not None
