"""Keys: which one signs, which still verify, how one follows another, and what the world is told of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jwt
import pytest

from tests.edge.mint import ALGORITHMS, ASYMMETRIC, NOW, Mint, Pair, Secret, Signer, ask, assert_no_token, signer, unb64
from tests.world import World
from tracker import app

if TYPE_CHECKING:
    from pathlib import Path

    from tests.world import Person
    from tracker.store.sql.store import SqlStore

JWKS = "/.well-known/jwks.json"
PUBLIC = {"EdDSA": {"crv", "x"}, "ES256": {"crv", "x", "y"}, "RS256": {"n", "e"}}
ROTATIONS = [
    ("EdDSA", "EdDSA"),
    ("ES256", "ES256"),
    ("RS256", "RS256"),
    ("HS256", "HS256"),
    ("HS256", "EdDSA"),
    ("RS256", "ES256"),
    ("ES256", "HS256"),
]


def another(algorithm: str, folder: Path) -> Signer:
    return Secret("n" * 40) if algorithm == "HS256" else Pair.new(algorithm, folder)


def token_of(world: World, person: Person) -> str:
    return app.tokens(world.settings).issue(person.user, person.session, at=world.clock())


def opens(world: World, token: str) -> bool:
    answer = ask(world, f"Bearer {token}")
    assert answer.status in {200, 401}
    return answer.status == 200


@pytest.mark.parametrize(("before", "after"), ROTATIONS)
def test_a_new_key_takes_over_while_the_tokens_of_the_old_one_run_out(
    store: SqlStore, tmp_path: Path, before: str, after: str
) -> None:
    old, new = signer(before, tmp_path), another(after, tmp_path)
    first = World(store, **old.settings())
    ann = first.person(f"ann-{before}-{after}")
    both = World(store, **new.settings(), **old.settings_to_verify())
    alone = World(store, **new.settings())
    of_old, of_new = token_of(first, ann), token_of(both, ann)

    assert [opens(first, token) for token in (of_old, of_new)] == [True, False]
    assert [opens(both, token) for token in (of_old, of_new)] == [True, True]
    assert [opens(both, token) for token in (of_old, of_new)] == [True, True], "also from memory"
    assert [opens(alone, token) for token in (of_old, of_new)] == [False, True]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_instances_can_learn_the_next_key_before_any_of_them_signs_with_it(
    store: SqlStore, tmp_path: Path, algorithm: str
) -> None:
    old, new = signer(algorithm, tmp_path), another(algorithm, tmp_path)
    told = World(store, **old.settings(), **new.settings_to_verify())
    moved = World(store, **new.settings(), **old.settings_to_verify())
    ann = told.person(f"ann-told-{algorithm}")

    assert opens(told, token_of(moved, ann))
    assert opens(moved, token_of(told, ann))


def test_an_old_key_verifies_and_signs_nothing(store: SqlStore, tmp_path: Path) -> None:
    old, new = (signer("EdDSA", tmp_path) for _ in range(2))
    world = World(store, **new.settings(), **old.settings_to_verify())
    token = token_of(world, world.person("ann-new"))

    assert jwt.get_unverified_header(token)["kid"] == new.key.kid


def test_the_time_of_a_token_of_an_old_key_runs_out_too(store: SqlStore, tmp_path: Path) -> None:
    old, new = (signer("EdDSA", tmp_path) for _ in range(2))
    world = World(store, **new.settings(), **old.settings_to_verify())
    token = token_of(World(store, **old.settings()), world.person("ann-late"))

    assert opens(world, token)
    world.clock.advance(minutes=10)
    assert not opens(world, token)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_key_speaks_for_itself_alone_though_both_are_known(store: SqlStore, tmp_path: Path, algorithm: str) -> None:
    one, other = Secret(), another(algorithm, tmp_path)
    world = World(store, **{**one.settings(), **other.settings_to_verify()})
    mint = Mint(world.person(f"ann-both-{algorithm}"), world.person(f"bob-both-{algorithm}"), one)

    assert opens(world, mint.token())
    assert opens(world, mint.token(header={"alg": algorithm, "kid": other.key.kid}, by=other))
    for header in ({"alg": algorithm}, {"kid": other.key.kid}, {"alg": algorithm, "kid": ...}):
        if header != {"alg": "HS256"}:
            assert_no_token(world, f"Bearer {mint.token(header=header)}")
            assert_no_token(world, f"Bearer {mint.token(header=header, by=Secret('x' * 40))}")
    assert_no_token(world, f"Bearer {mint.token(by=other)}")
    assert_no_token(world, f"Bearer {mint.token(header={'alg': algorithm, 'kid': other.key.kid})}")


# What the world is told.


def told(world: World) -> list[dict[str, Any]]:
    answer = world.client.get(JWKS)
    assert answer.status == 200
    keys: list[dict[str, Any]] = answer.json["keys"]
    return keys


def test_a_secret_is_not_told(store: SqlStore) -> None:
    assert told(World(store, old_secret_keys=("o" * 40,))) == []


@pytest.mark.parametrize("algorithm", ASYMMETRIC)
def test_the_public_half_of_a_key_is_told_and_no_more_of_it(store: SqlStore, tmp_path: Path, algorithm: str) -> None:
    signs = signer(algorithm, tmp_path)
    (key,) = told(World(store, **signs.settings()))

    assert set(key) == {"kty", "kid", "use", "alg"} | PUBLIC[algorithm]
    assert (key["kid"], key["use"], key["alg"]) == (signs.key.kid, "sig", algorithm)


def test_the_key_that_signs_is_told_first_and_each_of_the_others_once(store: SqlStore, tmp_path: Path) -> None:
    keys = [signer(algorithm, tmp_path) for algorithm in ("RS256", "EdDSA", "ES256")]
    files = tuple(key.file for key in keys if isinstance(key, Pair))
    world = World(store, signing_key_file=files[0], verification_key_files=(*files, files[1]), old_secret_keys="o" * 40)

    assert [key["kid"] for key in told(world)] == [key.key.kid for key in keys]


@pytest.mark.parametrize("algorithm", ASYMMETRIC)
def test_another_service_can_verify_a_token_with_what_it_is_told(
    store: SqlStore, tmp_path: Path, algorithm: str
) -> None:
    world = World(store, **signer(algorithm, tmp_path).settings())
    ann = world.person(f"ann-elsewhere-{algorithm}")
    answer = world.client.get(JWKS)
    header = json.loads(unb64(ann.token.split(".")[0]))

    key = jwt.PyJWKSet.from_json(answer.body.decode())[header["kid"]]
    elsewhere = jwt.PyJWT({"verify_exp": False, "verify_iat": False})  # the time is that of the world's clock
    claims = elsewhere.decode(ann.token, key, [header["alg"]], audience="tracker-api", issuer="tracker")
    assert (header["typ"], claims["sub"], claims["exp"]) == ("at+jwt", ann.id, NOW + 600)


def test_whoever_has_the_keys_already_is_told_so(store: SqlStore, tmp_path: Path) -> None:
    world, moved = (World(store, **signer("EdDSA", tmp_path).settings()) for _ in range(2))
    tag = world.client.get(JWKS).headers["etag"]

    assert world.client.get(JWKS, headers={"if-none-match": tag}).status == 304
    assert moved.client.get(JWKS, headers={"if-none-match": tag}).status == 200


def test_the_keys_are_told_to_whoever_asks(everywhere: World) -> None:
    assert ask(everywhere, "Bearer not.a.token", JWKS).status == 200
    assert everywhere.client.post(JWKS).status == 405
