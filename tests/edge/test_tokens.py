"""Access tokens: one that is ours is taken, and no other, however near it comes (RFC 8725).

What a header may say is in ``test_tokens_headers.py``, which keys there are in ``test_tokens_keys.py``.
"""

from __future__ import annotations

import hashlib
import json
import string
from typing import TYPE_CHECKING, Any

import pytest

from tests.edge.mint import NOW, Mint, ask, assert_no_token, b64, dumped, unb64
from tests.edge.wire import CANARY
from tests.world import World
from tracker.edge.call import Call

if TYPE_CHECKING:
    from collections.abc import Callable

SOMEBODY = "0192f3a4-5b6c-7d8e-9f00-112233445566"

pytestmark = pytest.mark.usefixtures("discreet")


def test_the_token_that_all_others_are_mutants_of_is_good(everywhere: World, mint: Mint) -> None:
    assert ask(everywhere, f"Bearer {mint.token()}").json["username"] == "ann"


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
def test_the_scheme_is_spelled_in_any_case(everywhere: World, mint: Mint, scheme: str) -> None:
    assert ask(everywhere, f"{scheme} {mint.token()}").status == 200


CLAIMS: dict[str, dict[str, Any]] = {
    **{f"{name} missing": {name: ...} for name in ("iss", "aud", "sub", "sid", "iat", "exp", "jti")},
    **{f"{name} null": {name: None} for name in ("iss", "aud", "sub", "sid", "iat", "exp", "jti")},
    **{f"{name} a list": {name: [1]} for name in ("iss", "sub", "sid", "iat", "exp", "jti")},
    **{f"{name} an object": {name: {"$ne": None}} for name in ("iss", "aud", "sub", "sid", "iat", "exp")},
    "exp past": {"exp": NOW - 1},
    "exp just now": {"exp": NOW, "iat": NOW - 600},
    "exp a float": {"exp": NOW + 600.0},
    "exp text": {"exp": str(NOW + 600)},
    "exp true": {"exp": True},
    "exp immense": {"exp": 10**400},
    "exp minus immense": {"exp": -(10**400)},
    "exp NaN": {"exp": float("nan")},
    "exp infinite": {"exp": float("inf")},
    "exp zero": {"exp": 0},
    "iat in the future": {"iat": NOW + 61, "exp": NOW + 600},
    "iat text": {"iat": str(NOW)},
    "iat a float": {"iat": float(NOW)},
    "iat true": {"iat": True},
    "iat NaN": {"iat": float("nan")},
    "iat immense": {"iat": 10**400, "exp": 10**400 + 600},
    "good for longer than ours are": {"exp": NOW + 601},
    "good for a year": {"exp": NOW + 86_400 * 365},
    "issued long ago and good for long": {"iat": 0},
    "nbf in the future": {"nbf": 4_102_444_800},
    "nbf text": {"nbf": "tomorrow"},
    "aud another": {"aud": "another-api"},
    "aud empty": {"aud": ""},
    "aud a list with ours": {"aud": ["tracker-api", "another-api"]},
    "aud a list of ours": {"aud": ["tracker-api"]},
    "aud a list": {"aud": ["another-api"]},
    "aud longer": {"aud": "tracker-api "},
    "iss another": {"iss": "another"},
    "iss longer": {"iss": "tracker/"},
    "iss in capitals": {"iss": "TRACKER"},
    "sub a number": {"sub": 1},
    "sub nobody": {"sub": SOMEBODY},
    "sub empty": {"sub": ""},
    "sub in capitals": {"sub": "ANN"},
    "sid unknown": {"sid": SOMEBODY},
    "sid a number": {"sid": 1},
    "sid empty": {"sid": ""},
    "sid no id": {"sid": CANARY},
    "sid with a NUL": {"sid": "\0"},
    "sid an id with a NUL": {"sid": f"{SOMEBODY}\0"},
    "sid a lone surrogate": {"sid": "\ud800"},
    "sid long": {"sid": "9" * 2000},
    "sid another spelling": {"sid": "{" + SOMEBODY + "}"},
    "sid SQL": {"sid": "' OR '1'='1"},
    "jti a number": {"jti": 1},
    **{f"of {size} signed bytes": {"pad": "x" * size} for size in (8_000, 60_000, 1_000_000)},
}


@pytest.mark.parametrize("claims", CLAIMS.values(), ids=CLAIMS)
def test_a_token_with_another_claim_is_refused_though_it_is_signed(
    everywhere: World, mint: Mint, claims: dict[str, Any]
) -> None:
    assert_no_token(everywhere, f"Bearer {mint.token(**claims)}")


def test_nobody_is_somebody_else_in_their_own_session(everywhere: World, mint: Mint) -> None:
    assert_no_token(everywhere, f"Bearer {mint.token(sub=mint.bob.id)}")
    assert_no_token(everywhere, f"Bearer {mint.token(sid=mint.bob.session.id)}")
    assert ask(everywhere, f"Bearer {mint.token(sub=mint.bob.id, sid=mint.bob.session.id)}").json["username"] == "bob"


SHAPES: dict[str, Callable[[list[str]], str]] = {
    "no signature": lambda p: f"{p[0]}.{p[1]}.",
    "no third part": lambda p: f"{p[0]}.{p[1]}",
    "one part": lambda p: p[0],
    "dots": lambda _: "..",
    "nothing": lambda _: "",
    "a space": lambda _: " ",
    "four parts": lambda p: ".".join([*p, p[2]]),
    "five parts": lambda p: ".".join([*p, p[1], p[2]]),
    "a dot before": lambda p: "." + ".".join(p),
    "a dot after": lambda p: ".".join(p) + ".",
    "padded": lambda p: ".".join(p) + "=",
    "padded twice": lambda p: ".".join(p) + "==",
    "padded inside": lambda p: f"{p[0]}.{p[1]}=.{p[2]}",
    "a newline after": lambda p: ".".join(p) + "\n",
    "a newline inside": lambda p: f"{p[0]}.{p[1]}.\n{p[2]}",
    "a space after": lambda p: ".".join(p) + " ",
    "a space before": lambda p: " " + ".".join(p),
    "a tab before": lambda p: "\t" + ".".join(p),
    "a NUL after": lambda p: ".".join(p) + "\0",
    "a no-break space after": lambda p: ".".join(p) + "\xa0",
    "wide letters": lambda p: ".".join(p).replace("e", "\uff45"),
    "the other alphabet": lambda p: f"{p[0]}.{p[1]}.+{p[2][1:]}",
    "twice": lambda p: f"{'.'.join(p)}, Bearer {'.'.join(p)}",
    "in quotes": lambda p: f'"{".".join(p)}"',
    "a signature cut short": lambda p: f"{p[0]}.{p[1]}.{p[2][:-1]}",
    "half a signature": lambda p: f"{p[0]}.{p[1]}.{p[2][:20]}",
    "a longer signature": lambda p: f"{p[0]}.{p[1]}.{p[2]}AAAA",
    "another first letter": lambda p: f"{p[0]}.{p[1]}.{'A' if p[2][0] != 'A' else 'B'}{p[2][1:]}",
    "the signature of another": lambda p: f"{p[0]}.{b64(b'{}')}.{p[2]}",
    "a plain digest": lambda p: f"{p[0]}.{p[1]}.{b64(hashlib.sha256(f'{p[0]}.{p[1]}'.encode()).digest())}",
    "the header as the payload": lambda p: f"{p[0]}.{p[0]}.{p[2]}",
    "parts in another order": lambda p: f"{p[1]}.{p[0]}.{p[2]}",
    "8 kilobytes": lambda p: f"{p[0]}.{p[1]}{'A' * 8_000}.{p[2]}",
    "60 kilobytes": lambda p: f"{p[0]}.{p[1] * 200}.{p[2]}",
    "a megabyte": lambda p: f"{p[0]}.{'A' * 1_000_000}.{p[2]}",
    "a megabyte of header": lambda p: f"{p[0]}{'A' * 1_000_000}.{p[1]}.{p[2]}",
    "a megabyte of signature": lambda p: f"{p[0]}.{p[1]}.{'A' * 1_000_000}",
    "a megabyte of dots": lambda p: p[0] + "." * 1_000_000,
    "letters": lambda _: "a.b.c",
    "not base64": lambda p: f"{p[0]}.a.{p[2]}",
    "a percent sign": lambda p: ".".join(p).replace(".", "%2E"),
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_token_has_one_spelling(everywhere: World, mint: Mint, shape: Callable[[list[str]], str]) -> None:
    assert_no_token(everywhere, f"Bearer {shape(mint.parts())}")


def test_also_in_the_bits_of_its_last_letter_that_do_not_count(everywhere: World, mint: Mint) -> None:
    token = mint.token()
    spellings = [token[:-1] + letter for letter in string.ascii_letters + string.digits + "-_"]
    assert [s for s in spellings if ask(everywhere, f"Bearer {s}").status == 200] == [token]


PAYLOADS = {
    "not JSON": b"{",
    "a list": b"[]",
    "text": b'"ann"',
    "null": b"null",
    "nothing": b"",
    "bad UTF-8": b'{"sub": "\xff"}',
    "UTF-16": '{"sub": "ann"}'.encode("utf-16"),
    "nested deep": b'{"a":' + b"[" * 1100 + b"]" * 1100 + b"}",
    "nested deep and cut off": b"[" * 2200,
}


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
def test_a_signed_payload_that_is_no_set_of_claims_is_refused(everywhere: World, mint: Mint, payload: bytes) -> None:
    assert_no_token(everywhere, f"Bearer {mint.signed(dumped(mint.header), payload)}")


def test_of_a_claim_that_is_there_twice_it_is_the_last_that_counts(everywhere: World, mint: Mint) -> None:
    """RFC 7519, section 4; nobody but the holder of the key can make one, and then it is what the last one says."""
    payload = dumped(mint.claims)[:-1]
    for name, value in (("exp", "1"), ("sub", f'"{SOMEBODY}"'), ("aud", '"another"'), ("sid", '"x"'), ("iss", "1")):
        doubled = payload + f', "{name}": {value}}}'.encode()
        assert_no_token(everywhere, f"Bearer {mint.signed(dumped(mint.header), doubled)}")


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        " ",
        "Bearer",
        "Bearer ",
        "Token {}",
        "Basic {}",
        "JWT {}",
        "{}",
        "Bearer\t{}",
        "Bearer  {}",
        "Bearer:{}",
        "Bearer={}",
        " Bearer {}",
    ],
)
def test_a_token_is_sent_as_a_bearer_token(everywhere: World, mint: Mint, authorization: str) -> None:
    assert_no_token(everywhere, authorization.format(mint.token()))


def test_two_authorizations_are_refused_even_if_both_are_good(everywhere: World, mint: Mint) -> None:
    headers = {"host": "localhost", "authorization": f"Bearer {mint.token()}"}
    call = Call("GET", "/me", b"", headers, "id", repeated=frozenset({"authorization"}))

    assert everywhere.responder(call).status == 400


@pytest.mark.parametrize("name", ["access_token", "token", "authorization", "bearer"])
def test_a_token_in_the_address_is_no_token(everywhere: World, mint: Mint, name: str) -> None:
    assert everywhere.client.get("/me", query=f"{name}={mint.token()}").status == 401
    refused = everywhere.client.as_(mint.token()).get("/me", query=f"{name}={mint.token()}")
    assert (refused.status, set(refused.errors)) == (400, {name})
    assert mint.token() not in refused.body.decode()


@pytest.mark.parametrize("name", ["cookie", "x-access-token", "proxy-authorization", "x-authorization", "token"])
def test_a_token_in_another_header_is_no_token(everywhere: World, mint: Mint, name: str) -> None:
    headers = {name: f"Bearer {mint.token()}"}
    assert everywhere.client.get("/me", headers=headers).problem == "unauthenticated"


def test_a_refresh_token_is_no_access_token(everywhere: World) -> None:
    person = {"username": "carla", "email": "carla@example.com", "password": "correct horse"}
    everywhere.client.post("/register", person)
    tokens = everywhere.client.post("/login", {"username": "carla", "password": "correct horse"}).json

    assert_no_token(everywhere, f"Bearer {tokens['refresh_token']}")
    assert everywhere.client.post("/token/refresh", {"refresh_token": tokens["access_token"]}).status == 400


def test_what_is_issued_is_what_is_asked_for(mint: Mint) -> None:
    header, claims, _ = mint.parts(mint.ann.token)
    made = json.loads(unb64(claims))

    assert json.loads(unb64(header)) == mint.header
    assert set(made) == {"iss", "aud", "sub", "sid", "iat", "exp", "jti"}
    assert (made["iat"], made["exp"]) == (NOW, NOW + 600)


def test_no_two_tokens_are_alike(everywhere: World, mint: Mint) -> None:
    assert everywhere.log_in(mint.ann.user).token != everywhere.log_in(mint.ann.user).token


def test_a_clock_that_is_a_minute_behind_takes_the_tokens_of_another(everywhere: World, mint: Mint) -> None:
    assert ask(everywhere, f"Bearer {mint.token(iat=NOW + 60, exp=NOW + 660)}").status == 200


def test_there_are_mutants_enough() -> None:
    """Of each way of signing; those of the header come on top."""
    assert len(CLAIMS) + len(SHAPES) + len(PAYLOADS) >= 120


def test_public_operations_do_not_look_at_tokens(everywhere: World) -> None:
    assert ask(everywhere, "Bearer not.a.token", "/readyz").status == 200
