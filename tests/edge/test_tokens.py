"""Access tokens: one that is ours is taken, and no other, however near it comes (RFC 8725)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import string
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.databases import ON_EVERY_DATABASE, database
from tests.edge.wire import CANARY, assert_discreet
from tests.world import NOON, Person, World
from tracker.edge.call import Call
from tracker.store.sql.store import SqlStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.client import Received

KEY = "k" * 40
NOW = int(NOON.timestamp())
HEADER = {"alg": "HS256", "typ": "at+jwt"}
SOMEBODY = "0192f3a4-5b6c-7d8e-9f00-112233445566"

pytestmark = pytest.mark.usefixtures("discreet")


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(header: bytes, payload: bytes, key: str = KEY, digest: str = "sha256") -> str:
    text = f"{b64(header)}.{b64(payload)}"
    return f"{text}.{b64(hmac.digest(key.encode(), text.encode(), digest))}"


@dataclass(frozen=True)
class Mint:
    """Makes tokens for Ann, and for nobody: in her session, and in Bob's."""

    ann: Person
    bob: Person

    @property
    def claims(self) -> dict[str, Any]:
        times = {"iat": NOW, "exp": NOW + 600}
        return {
            "iss": "tracker",
            "aud": "tracker-api",
            "sub": self.ann.id,
            "sid": self.ann.session.id,
            "jti": "1",
            **times,
        }

    def token(
        self, *, header: dict[str, Any] | None = None, key: str = KEY, digest: str = "sha256", **claims: Any
    ) -> str:
        return signed(dumped(HEADER | (header or {})), dumped(self.claims | claims), key, digest)

    def parts(self, token: str | None = None) -> list[str]:
        return (token or self.token()).split(".")


def dumped(members: dict[str, Any]) -> bytes:
    return json.dumps({name: value for name, value in members.items() if value is not ...}).encode()


@pytest.fixture(scope="module", params=ON_EVERY_DATABASE)
def everywhere(request: pytest.FixtureRequest) -> Iterator[World]:
    """An installation on each database: what a token says reaches a query."""
    with database(request.param) as url:
        store = SqlStore.open(url)
        yield World(store)
        store.close()


@pytest.fixture(scope="module")
def mint(everywhere: World) -> Mint:
    return Mint(everywhere.person("ann"), everywhere.person("bob"))


def ask(world: World, authorization: str, path: str = "/me", query: bytes = b"") -> Received:
    headers = {"authorization": authorization}
    return world.client.request("GET", path, headers=headers, query=query.decode())


def test_the_token_that_all_others_are_mutants_of_is_good(everywhere: World, mint: Mint) -> None:
    assert ask(everywhere, f"Bearer {mint.token()}").json["username"] == "ann"


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
def test_the_scheme_is_spelled_in_any_case(everywhere: World, mint: Mint, scheme: str) -> None:
    assert ask(everywhere, f"{scheme} {mint.token()}").status == 200


HEADERS: dict[str, dict[str, Any]] = {
    **{f"alg {alg}": {"alg": alg} for alg in ("none", "None", "NONE", "nOnE", "", "HS1", "hs256", "HS256 ", "HMAC")},
    **{f"alg {alg}": {"alg": alg} for alg in ("RS256", "PS256", "ES256", "EdDSA", "HS384", "HS512", "A128KW", "dir")},
    "alg missing": {"alg": ...},
    "alg a number": {"alg": 256},
    "alg a list": {"alg": ["HS256"]},
    "alg null": {"alg": None},
    "typ JWT": {"typ": "JWT"},
    "typ missing": {"typ": ...},
    "typ of a refresh token": {"typ": "rt+jwt"},
    "typ null": {"typ": None},
    "typ a list": {"typ": ["at+jwt"]},
    "crit": {"crit": ["exp"]},
    "crit that nobody knows": {"crit": ["b64", "house"], "house": 1},
    "b64 false": {"b64": False, "crit": ["b64"]},
    "compressed": {"zip": "DEF", "crit": ["zip"]},
}
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
}
KEYS = {
    "founding": "alpha",
    "empty": "",
    "nearly": "k" * 39,
    "longer": "k" * 41,
    "public": "-----BEGIN PUBLIC KEY-----",
}


def refused_everywhere(world: World, authorization: str, *, path: str = "/me") -> None:
    refused = ask(world, authorization, path)
    assert (refused.status, refused.problem) == (401, "invalid-token")
    assert refused.headers["www-authenticate"] == 'Bearer realm="tracker", error="invalid_token"'
    assert_discreet(refused)
    assert (
        world.client.request("POST", "/tasks", {"title": "a"}, headers={"authorization": authorization}).status == 401
    )


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_a_token_with_another_header_is_refused(everywhere: World, mint: Mint, header: dict[str, Any]) -> None:
    token = mint.token(header=header)
    for mutant in (token, token.rpartition(".")[0] + ".", token.rpartition(".")[0]):
        refused_everywhere(everywhere, f"Bearer {mutant}")


@pytest.mark.parametrize("claims", CLAIMS.values(), ids=CLAIMS)
def test_a_token_with_another_claim_is_refused_though_it_is_signed(
    everywhere: World, mint: Mint, claims: dict[str, Any]
) -> None:
    refused_everywhere(everywhere, f"Bearer {mint.token(**claims)}")


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_a_token_that_another_key_signed_is_refused(everywhere: World, mint: Mint, key: str) -> None:
    refused_everywhere(everywhere, f"Bearer {mint.token(key=key)}")


@pytest.mark.parametrize("digest", ["sha384", "sha512", "sha1", "md5"])
def test_a_token_with_another_digest_is_refused_whatever_it_calls_itself(
    everywhere: World, mint: Mint, digest: str
) -> None:
    for alg in ("HS256", digest.replace("sha", "HS")):
        refused_everywhere(everywhere, f"Bearer {mint.token(header={'alg': alg}, digest=digest)}")


@pytest.mark.parametrize(
    "header",
    [
        {"kid": "../../../dev/null"},
        {"kid": "x' UNION SELECT '' --"},
        {"jwk": {"kty": "oct", "k": b64(b"")}},
        {"jku": "https://example.com/keys"},
        {"x5u": "https://example.com/cert"},
        {"x5c": ["AAAA"]},
    ],
)
def test_a_token_cannot_bring_its_own_key(everywhere: World, mint: Mint, header: dict[str, Any]) -> None:
    refused_everywhere(everywhere, f"Bearer {mint.token(header=header, key='')}")


def test_nobody_is_somebody_else_in_their_own_session(everywhere: World, mint: Mint) -> None:
    refused_everywhere(everywhere, f"Bearer {mint.token(sub=mint.bob.id)}")
    refused_everywhere(everywhere, f"Bearer {mint.token(sid=mint.bob.session.id)}")
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
    "the signature of nothing": lambda p: f"{p[0]}.{p[1]}.{b64(hmac.digest(KEY.encode(), b'', 'sha256'))}",
    "a plain digest": lambda p: f"{p[0]}.{p[1]}.{b64(hashlib.sha256(f'{p[0]}.{p[1]}'.encode()).digest())}",
    "the header as the payload": lambda p: f"{p[0]}.{p[0]}.{p[2]}",
    "parts in another order": lambda p: f"{p[1]}.{p[0]}.{p[2]}",
    "60 kilobytes": lambda p: f"{p[0]}.{p[1] * 200}.{p[2]}",
    "a megabyte": lambda p: f"{p[0]}.{'A' * 1_000_000}.{p[2]}",
    "letters": lambda _: "a.b.c",
    "not base64": lambda p: f"{p[0]}.a.{p[2]}",
    "a percent sign": lambda p: ".".join(p).replace(".", "%2E"),
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_a_token_has_one_spelling(everywhere: World, mint: Mint, shape: Callable[[list[str]], str]) -> None:
    refused_everywhere(everywhere, f"Bearer {shape(mint.parts())}")


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
    "nested too deep": b'{"a":' * 600 + b"1" + b"}" * 600,
}


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
def test_a_signed_payload_that_is_no_set_of_claims_is_refused(everywhere: World, payload: bytes) -> None:
    refused_everywhere(everywhere, f"Bearer {signed(dumped(HEADER), payload)}")


@pytest.mark.parametrize("header", PAYLOADS.values(), ids=PAYLOADS)
def test_a_header_that_is_none_is_refused(everywhere: World, mint: Mint, header: bytes) -> None:
    refused_everywhere(everywhere, f"Bearer {signed(header, dumped(mint.claims))}")


def test_of_a_claim_that_is_there_twice_it_is_the_last_that_counts(everywhere: World, mint: Mint) -> None:
    """RFC 7519, section 4; nobody but the holder of the key can make one, and then it is what the last one says."""
    payload = dumped(mint.claims)[:-1]
    for name, value in (("exp", "1"), ("sub", f'"{SOMEBODY}"'), ("aud", '"another"'), ("sid", '"x"'), ("iss", "1")):
        doubled = payload + f', "{name}": {value}}}'.encode()
        refused_everywhere(everywhere, f"Bearer {signed(dumped(HEADER), doubled)}")
    for name, value in (("alg", "none"), ("typ", "JWT")):
        doubled = dumped(HEADER)[:-1] + f', "{name}": "{value}"}}'.encode()
        refused_everywhere(everywhere, f"Bearer {signed(doubled, dumped(mint.claims))}")


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
    refused_everywhere(everywhere, authorization.format(mint.token()))


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

    refused_everywhere(everywhere, f"Bearer {tokens['refresh_token']}")
    assert everywhere.client.post("/token/refresh", {"refresh_token": tokens["access_token"]}).status == 400


def test_what_is_issued_is_what_is_asked_for(mint: Mint) -> None:
    header, claims, _ = (part + "=" * (-len(part) % 4) for part in mint.parts(mint.ann.token))
    made = json.loads(base64.urlsafe_b64decode(claims))

    assert json.loads(base64.urlsafe_b64decode(header)) == HEADER
    assert set(made) == {"iss", "aud", "sub", "sid", "iat", "exp", "jti"}
    assert (made["iat"], made["exp"]) == (NOW, NOW + 600)


def test_no_two_tokens_are_alike(everywhere: World, mint: Mint) -> None:
    assert everywhere.log_in(mint.ann.user).token != everywhere.log_in(mint.ann.user).token


def test_a_clock_that_is_a_minute_behind_takes_the_tokens_of_another(everywhere: World, mint: Mint) -> None:
    assert ask(everywhere, f"Bearer {mint.token(iat=NOW + 60, exp=NOW + 660)}").status == 200


def test_there_are_mutants_enough() -> None:
    assert len(HEADERS) * 3 + len(CLAIMS) + len(KEYS) + len(SHAPES) + 2 * len(PAYLOADS) >= 120


def test_public_operations_do_not_look_at_tokens(everywhere: World) -> None:
    assert ask(everywhere, "Bearer not.a.token", "/readyz").status == 200
