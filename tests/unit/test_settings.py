"""The environment, read once."""

import pytest

from waystation.egress.deadlines import FIRST_BYTE_S, IDLE_S
from waystation.identity_settings import ClaimSettings, IdentitySettings, JwtSettings
from waystation.settings import (
    ENVIRONMENT_NAMES,
    Settings,
    SettingsError,
    cors_origins,
    environment,
    load_settings,
    log_level,
    runs_on_lambda,
)

REQUIRED = {"CONFIG_URI": "s3://b/k", "TABLE_NAME": "t", "SECRETS_PREFIX": "/way/prod"}


def test_required_variables_are_enough():
    assert load_settings(REQUIRED) == Settings(
        config_uri="s3://b/k",
        table_name="t",
        secrets_prefix="/way/prod",
        identity=IdentitySettings(frozenset({"keys"}), None, ClaimSettings()),
        cors_origins=frozenset(),
        response_mode="buffered",
        egress_proxy=None,
        ca_bundle=None,
    )


def test_every_variable_is_read():
    env = {
        **REQUIRED,
        "SECRETS_PREFIX": "/way/prod/",
        "AUTH_MODES": "keys,jwt,",
        "JWT_ISSUER": "https://login.example.com/",
        "JWT_AUDIENCE": "one, two",
        "JWT_ALGORITHMS": "EdDSA",
        "JWT_JWKS_URL": "https://keys.example.com/set",
        "USER_CLAIMS": "email=mail, username=cognito:username",
        "ADMIN_CLAIM": "https://corp/roles = admin",
        "TRUSTED_CLAIM": "service=librechat",
        "USER_ID_PREFIX": "sso:",
        "CORS_ORIGINS": "https://app.example.com, http://localhost:3000",
        "RESPONSE_MODE": "stream",
        "OUTBOX_URL": "https://sqs.example.com/1/outbox",
        "SWEEP_POLICY": "hold",
        "FIRST_BYTE_TIMEOUT_S": "300",
        "IDLE_TIMEOUT_S": "1",
        "KMS_KEY_ID": "alias/users",
        "EGRESS_PROXY": "http://proxy:8080",
        "CA_BUNDLE": "/ca.pem",
        "GATEWAY_ALLOWED_ADDRESSES": "LLM.internal:443, [::1]:9,",
        "PUBLIC_PRICES": "off",
        "BALANCE_OWN_KEYS": "draw",
        "VIA_TOKEN": "waystation-prod",
    }
    assert load_settings(env) == Settings(
        config_uri="s3://b/k",
        table_name="t",
        secrets_prefix="/way/prod",
        identity=IdentitySettings(
            frozenset({"keys", "jwt"}),
            JwtSettings(
                "https://login.example.com/",
                ("one", "two"),
                "https://keys.example.com/set",
                ("EdDSA",),
            ),
            ClaimSettings(
                {"email": "mail", "username": "cognito:username"},
                admin=("https://corp/roles", "admin"),
                trusted=("service", "librechat"),
                id_prefix="sso:",
            ),
        ),
        cors_origins=frozenset({"https://app.example.com", "http://localhost:3000"}),
        response_mode="stream",
        outbox_url="https://sqs.example.com/1/outbox",
        sweep_policy="hold",
        first_byte_s=300,
        idle_s=1,
        kms_key_id="alias/users",
        egress_proxy="http://proxy:8080",
        ca_bundle="/ca.pem",
        allowed_addresses=frozenset({"llm.internal:443", "[::1]:9"}),
        public_prices=False,
        own_keys_draw=True,
        via_token="waystation-prod",
    )


def test_one_error_lists_everything_that_is_wrong():
    env = {
        "TABLE_NAME": "",
        "AUTH_MODES": "jwt",
        "JWT_ALGORITHMS": "HS256",
        "USER_CLAIMS": "email",
        "ADMIN_CLAIM": "role",
        "TRUSTED_CLAIM": "=x",
        "USER_ID_PREFIX": "a\nb",
        "CORS_ORIGINS": "*",
        "RESPONSE_MODE": "fast",
        "SWEEP_POLICY": "forget",
        "METRICS": "yes",
        "PUBLIC_PRICES": "no",
        "BALANCE_OWN_KEYS": "yes",
        "VIA_TOKEN": "a b",
    }
    with pytest.raises(SettingsError) as caught:
        load_settings(env)
    assert str(caught.value) == (
        "CONFIG_URI is not set; TABLE_NAME is not set; SECRETS_PREFIX is not set; "
        "JWT_ISSUER is not set; JWT_AUDIENCE is not set; JWT_ALGORITHMS must name some of: "
        "RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA; "
        "USER_ID_PREFIX must be at most 64 printable characters; "
        "USER_CLAIMS must be field=claim,... with LibreChat's user fields, each once; "
        "ADMIN_CLAIM must be claim=value; TRUSTED_CLAIM must be claim=value; "
        "CORS_ORIGINS must list origins as browsers send them, like https://app.example.com; "
        "RESPONSE_MODE must be one of: stream, buffered; "
        "SWEEP_POLICY must be one of: estimate, hold, release; "
        "PUBLIC_PRICES must be one of: on, off; METRICS must be one of: on, off; "
        "BALANCE_OWN_KEYS must be one of: free, draw; "
        "VIA_TOKEN must be letters, digits, dots, hyphens and underscores"
    )


@pytest.mark.parametrize("env", [REQUIRED, {**REQUIRED, "KMS_KEY_ID": ""}])
def test_keeping_users_keys_takes_a_key_of_kms(env):
    assert load_settings(env).kms_key_id is None
    with pytest.raises(SettingsError, match=r"^KMS_KEY_ID is not set$"):
        load_settings(env, keeps_user_keys=True)


@pytest.mark.parametrize("modes", ["", ",", "keys,iam", "KEYS"])
def test_auth_modes_must_be_known(modes):
    with pytest.raises(
        SettingsError, match=r"^AUTH_MODES must name some of: keys, jwt, authorizer$"
    ):
        load_settings({**REQUIRED, "AUTH_MODES": modes})


@pytest.mark.parametrize("name", ["FIRST_BYTE_TIMEOUT_S", "IDLE_TIMEOUT_S"])
@pytest.mark.parametrize("given", ["0", "-1", "901", "1.5", "1e2", "60s", " 60", "٦٠", "1" * 5000])
def test_timeouts_are_seconds_that_lambda_has(name, given):
    message = f"^{name} must be a whole number of seconds from 1 to 900$"
    with pytest.raises(SettingsError, match=message):
        load_settings({**REQUIRED, name: given})


def test_timeouts_are_by_default_those_of_every_call():
    settings = load_settings(REQUIRED)
    assert (settings.first_byte_s, settings.idle_s) == (FIRST_BYTE_S, IDLE_S) == (120, 60)


def test_empty_optional_variables_are_unset():
    optional = ENVIRONMENT_NAMES - REQUIRED.keys() - {"AUTH_MODES"}
    env = REQUIRED | dict.fromkeys(optional, "")
    assert load_settings(env) == load_settings(REQUIRED)


JWT = {"AUTH_MODES": "jwt", "JWT_ISSUER": "https://login.example.com/", "JWT_AUDIENCE": "way"}


def refusal(**env: str) -> str:
    """Return what the error says of the settings for tokens, with changes."""
    with pytest.raises(SettingsError) as caught:
        load_settings({**REQUIRED, **JWT, **env})
    return str(caught.value)


@pytest.mark.parametrize("issuer", ["https://login.example.com/", "https://login.example.com"])
def test_keys_are_at_the_issuers_usual_place(issuer):
    jwt = load_settings({**REQUIRED, **JWT, "JWT_ISSUER": issuer}).identity.jwt
    url = "https://login.example.com/.well-known/jwks.json"
    assert jwt == JwtSettings(issuer, ("way",), url, ("RS256", "ES256"))


@pytest.mark.parametrize("other", ["keys", "jwt"])
def test_authorizer_stands_alone(other):
    fault = "AUTH_MODES: authorizer excludes the other modes"
    assert refusal(AUTH_MODES=f"authorizer,{other}") == fault


@pytest.mark.parametrize("names", ["none", "HS256", "RS256,HS512", "rs256", "ES256K", "RS1"])
def test_only_asymmetric_algorithms_may_be_chosen(names):
    assert refusal(JWT_ALGORITHMS=names).startswith("JWT_ALGORITHMS must name some of: RS256")


@pytest.mark.parametrize(
    "url",
    [
        "http://login.example.com/keys",
        "http://127.0.0.1.example.com/keys",
        "http://10.0.0.1/keys",
        "file:///keys",
        "https://",
        "https://user@login.example.com/keys",
        "https://login.example.com/keys#a",
        "https://login.example.com:x/keys",
        "https://[login/keys",
        "https://löschen.example.com",
        "keys",
    ],
)
def test_keys_come_by_https(url):
    fault = "JWT_JWKS_URL, or JWT_ISSUER without it, must be an https URL"
    assert refusal(JWT_JWKS_URL=url) == fault


def test_issuer_that_is_no_url_needs_the_place_of_the_keys():
    assert "JWT_JWKS_URL" in refusal(JWT_ISSUER="corp")
    keys = {"JWT_ISSUER": "corp", "JWT_JWKS_URL": "http://127.0.0.1:8080/keys"}
    jwt = load_settings({**REQUIRED, **JWT, **keys}).identity.jwt
    assert jwt is not None
    assert (jwt.issuer, jwt.jwks_url) == ("corp", "http://127.0.0.1:8080/keys")


@pytest.mark.parametrize(
    "text", ["email=", "=email", "mail=email", "email=a,email=b", "password=x"]
)
def test_user_claims_are_librechats_fields(text):
    assert refusal(USER_CLAIMS=text).startswith("USER_CLAIMS must be field=claim")


@pytest.mark.parametrize(
    ("mode", "text"), [("jwt", "id=sub"), ("jwt", "id=email"), ("authorizer", "id=email")]
)
def test_user_claims_cannot_make_an_id_of_an_address(mode, text):
    assert "USER_CLAIMS cannot say whose id" in refusal(AUTH_MODES=mode, USER_CLAIMS=text)


def test_authorizer_may_name_the_id():
    env = {**REQUIRED, "AUTH_MODES": "authorizer", "USER_CLAIMS": "id=tenant"}
    assert load_settings(env).identity.claims.fields == {"id": "tenant"}


ORIGINS = [
    "*",
    "null",
    "https://*.example.com",
    "https://app.example.com/",
    "https://app.example.com:443",
    "http://app.example.com:80",
    "https://APP.example.com",
    "https://app.example.com.",
    "https://user@app.example.com",
    "https://app.example.com:0443",
    "app.example.com",
    "ftp://app.example.com",
    "https://app.example.com https://b.example.com",
]


@pytest.mark.parametrize("origin", ORIGINS)
def test_origins_are_written_as_browsers_send_them(origin):
    env = {"CORS_ORIGINS": f"https://ok.example.com,{origin}"}
    with pytest.raises(SettingsError, match=r"^CORS_ORIGINS must list origins"):
        cors_origins(env)


def test_no_origin_is_the_default():
    assert cors_origins({}) == frozenset()


def test_process_environment_is_the_default(monkeypatch):
    for name, value in REQUIRED.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LOG_LEVEL", "debug")
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "chat")
    assert load_settings() == load_settings(REQUIRED)
    assert (log_level(), runs_on_lambda()) == ("DEBUG", True)
    assert environment()["TABLE_NAME"] == "t"


@pytest.mark.parametrize(
    ("given", "level"), [("ERROR", "ERROR"), ("", "INFO"), ("TRACE", "INFO"), ("info", "INFO")]
)
def test_log_level_is_one_of_four(given, level):
    assert log_level({"LOG_LEVEL": given}) == level


def test_lambda_is_told_by_its_own_variable():
    assert runs_on_lambda({}) is False
    assert runs_on_lambda({"AWS_LAMBDA_FUNCTION_NAME": "chat"}) is True
