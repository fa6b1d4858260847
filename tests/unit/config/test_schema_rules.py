"""The rules for single values of an entry: names, references, headers, rates."""

from decimal import Decimal

import pytest

from tests.support.config_entries import build_entry, find_problems, token_config
from waystation.config.schema import TokenRates
from waystation.settings import ENVIRONMENT_NAMES


@pytest.mark.parametrize(
    "name", ["openAI", "azureOpenAI", "google", "anthropic", "agents", "bedrock", "custom"]
)
def test_built_in_names_are_taken(name):
    assert find_problems(name=name) == {
        "name": "this is the name of a built-in endpoint; choose another"
    }


@pytest.mark.parametrize(
    "name", ["OpenAI", "Anthropic", " openAI", "名前", "a/b", "x" * 64, "👩‍💻"]
)
def test_other_names_are_free(name):
    assert build_entry(name=name).name == name


@pytest.mark.parametrize("name", ["", "x" * 65, "a\nb", "a\u2028b"])
def test_name_is_short_and_printable(name):
    assert find_problems(name=name).keys() == {"name"}


@pytest.mark.parametrize("key", ["apiKey", "baseURL"])
@pytest.mark.parametrize(
    "value", ["", "  ", "${", "a${b", "${a-b}", "${}", "${_X}", "${AWS_PROFILE}"]
)
def test_unusable_reference_is_refused(key, value):
    assert find_problems(**{key: value}).keys() == {key}


@pytest.mark.parametrize(
    "value", ["${A}", " ${A}-${B} ", "$A", "{A}", "${AWS_REGION}", "user_provided"]
)
def test_usable_reference_is_kept_as_written(value):
    endpoint = build_entry(apiKey=value, baseURL=value, headers={"X-A": value})
    assert (endpoint.api_key, endpoint.base_url, endpoint.headers) == (value, value, {"X-A": value})


@pytest.mark.parametrize(
    "name",
    [
        "AWS_SECRET_ACCESS_KEY",
        "_HANDLER",
        "LAMBDA_TASK_ROOT",
        "LD_PRELOAD",
        "PYTHONPATH",
        "PATH",
        "HOME",
        "JWT_SECRET",
        "CREDS_KEY",
        "MEILI_MASTER_KEY",
        "MONGO_URI",
        "REDIS_URI",
    ],
)
def test_reserved_variable_is_refused_by_name(name):
    message = f"the variable {name} is reserved and cannot be used here"
    assert find_problems(headers={"X-A": f"a ${{{name}}}"}) == {"headers.X-A": message}


@pytest.mark.parametrize("name", sorted(ENVIRONMENT_NAMES))
def test_settings_of_the_gateway_are_reserved(name):
    assert find_problems(apiKey=f"${{{name}}}").keys() == {"apiKey"}


@pytest.mark.parametrize(
    "name",
    [
        "Host",
        "Content-Length",
        "transfer-encoding",
        "Connection",
        "Keep-Alive",
        "Upgrade",
        "TE",
        "Trailer",
        "Expect",
        "Accept-Encoding",
        "Proxy-Authorization",
    ],
)
def test_headers_of_the_connection_are_refused(name):
    message = "this header belongs to the connection and cannot be configured"
    assert find_problems(headers={name: "v"}) == {f"headers.{name}": message}


@pytest.mark.parametrize("name", ["X A", "X:A", "é", "X-{{LIBRECHAT_USER_ID}}", "a\r\nb"])
def test_header_names_are_tokens(name):
    assert set(find_problems(headers={name: "v"}).values()) == {
        "expected a header name of letters, digits and -, without blanks"
    }


def test_header_is_given_once_whatever_its_case():
    assert find_problems(headers={"X-A": "1", "x-a": "2"}).keys() == {"headers"}


@pytest.mark.parametrize("value", ["a\nb", "a\0b", "山", "x" * 8193])
def test_header_text_that_cannot_be_sent_is_refused(value):
    assert find_problems(headers={"X-A": value}).keys() == {"headers.X-A"}


@pytest.mark.parametrize(
    "value", ["", "é ÿ", "a\tb", " ${A}\n", "{{LIBRECHAT_USER_ID", "{{OTHER}}"]
)
def test_header_text_that_can_be_sent_is_kept(value):
    assert build_entry(headers={"X-A": value}).headers == {"X-A": value}


@pytest.mark.parametrize(
    "name", ["LIBRECHAT_USER_PASSWORD", "LIBRECHAT_OPENID_TOKEN", "LIBRECHAT_USER_Id", "LIBRECHAT_"]
)
def test_unknown_placeholder_is_refused_by_name(name):
    message = f"there is no placeholder {{{{{name}}}}}"
    assert find_problems(headers={"X-A": f"a {{{{{name}}}}}"}) == {"headers.X-A": message}


def test_rates_are_exact_decimals():
    config = build_entry(
        tokenConfig=token_config(prompt=0.1, cacheRead=1e-07, context=1000.0)
    ).token_config
    assert config == {
        "m": TokenRates.read(
            {
                "prompt": Decimal("0.1"),
                "completion": Decimal(2),
                "context": 1000,
                "cacheRead": Decimal("0.0000001"),
            }
        )
    }


@pytest.mark.parametrize("rate", [0, 1_000_000, 0.123456789, 999_999.999999999])
def test_rate_within_bounds_is_taken(rate):
    assert build_entry(tokenConfig=token_config(prompt=rate)).token_config["m"].prompt == Decimal(
        str(rate)
    )


@pytest.mark.parametrize(
    "rate", [-1, 1_000_001, float("inf"), float("nan"), 0.1234567891, 1e-10, "1", True, None]
)
@pytest.mark.parametrize("key", ["prompt", "cacheWrite"])
def test_rate_out_of_bounds_is_refused(key, rate):
    assert find_problems(tokenConfig=token_config(**{key: rate})).keys() == {f"tokenConfig.m.{key}"}


@pytest.mark.parametrize("context", [0, -1, 1.5, float("inf"), float("nan"), "1000", True, None])
def test_context_is_a_positive_whole_number(context):
    assert find_problems(tokenConfig=token_config(context=context)).keys() == {
        "tokenConfig.m.context"
    }
