"""Whose word is taken on where a request comes from."""

from __future__ import annotations

import pytest

from tracker.edge.addresses import MAX_HOPS, Origin, Proxies, neighbourhood, parsed

PROXY, BEHIND, CLIENT = "10.0.0.1", "10.0.0.2", "198.51.100.7"
FORWARDED = "x-forwarded-for"


def origin(peer: str | None, *headers: tuple[str, str], trusted: tuple[str, ...] = ("10.0.0.0/8",)) -> Origin:
    scope = {"client": (peer, 4321) if peer is not None else None}
    pairs = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    return Proxies(trusted).origin({**scope, "headers": pairs})


def address(peer: str | None, *forwarded: str, trusted: tuple[str, ...] = ("10.0.0.0/8",)) -> str:
    return origin(peer, *((FORWARDED, value) for value in forwarded), trusted=trusted).address


def test_the_peer_is_where_a_request_comes_from() -> None:
    assert address(CLIENT) == CLIENT


@pytest.mark.parametrize("trusted", [(), (PROXY,), ("10.0.0.0/8", "2001:db8::/32")])
def test_what_a_client_writes_into_the_header_is_not_believed(trusted: tuple[str, ...]) -> None:
    assert address(CLIENT, "192.0.2.1", trusted=trusted) == CLIENT


@pytest.mark.parametrize(
    ("forwarded", "believed"),
    [
        ([CLIENT], CLIENT),
        ([f" {CLIENT} "], CLIENT),
        ([f"192.0.2.1, {CLIENT}"], CLIENT),
        ([f"192.0.2.1,{CLIENT},{BEHIND}"], CLIENT),
        (["192.0.2.1", CLIENT], CLIENT),
        ([f"192.0.2.1, {CLIENT}", BEHIND], CLIENT),
        ([f"10.9.9.9, {BEHIND}"], "10.9.9.9"),
        ([f"garbage, {CLIENT}"], CLIENT),
        ([f"{CLIENT}:51000"], CLIENT),
        (["[2001:db8::7]:443"], "2001:db8::7"),
        (["[2001:db8::7]"], "2001:db8::7"),
        (["2001:DB8:0::7"], "2001:db8::7"),
        (["::ffff:198.51.100.7"], CLIENT),
        (["fe80::1%eth0"], "fe80::1"),
    ],
)
def test_a_trusted_proxy_is_believed_as_far_as_trusted_ones_reach(forwarded: list[str], believed: str) -> None:
    assert address(PROXY, *forwarded) == believed


@pytest.mark.parametrize(
    "forwarded",
    [
        [],
        [""],
        ["unknown"],
        ["_hidden"],
        [f"{CLIENT}, unknown"],
        [f"{CLIENT}, unknown, {BEHIND}"],
        [f"{CLIENT},"],
        ["999.1.1.1"],
        ["198.51.100.07"],
        ["\u0661.1.1.1".encode().decode("latin-1")],
        ["[198.51.100.7"],
        ["198.51.100.7:http"],
        ["for=198.51.100.7"],
        ["\x00"],
        ["a" * 30_000],
        ["," * 30_000],
    ],
)
def test_where_a_proxy_says_nothing_sensible_it_is_itself_the_address(forwarded: list[str]) -> None:
    assert address(PROXY, *forwarded) == PROXY


def test_a_chain_is_followed_for_so_many_hops_and_no_further() -> None:
    chain = [CLIENT, *(f"10.1.0.{n}" for n in range(3 * MAX_HOPS))]
    assert address(PROXY, ", ".join(chain)) == f"10.1.0.{2 * MAX_HOPS}"


@pytest.mark.parametrize("name", ["x_forwarded_for", "x-forwarded-for ", "forwarded", "x-real-ip", "client-ip"])
def test_no_other_header_says_where_a_request_comes_from(name: str) -> None:
    assert origin(PROXY, (name, CLIENT)).address == PROXY


def test_a_server_that_listens_on_both_families_knows_its_proxies_by_ipv4() -> None:
    assert address("::ffff:10.0.0.1", CLIENT) == CLIENT
    assert address("::ffff:198.51.100.7", "192.0.2.1") == CLIENT


@pytest.mark.parametrize("peer", [None, "", "/run/tracker.sock"])
def test_a_unix_socket_has_no_address_and_nobody_is_believed_there(peer: str | None) -> None:
    assert origin(peer, (FORWARDED, CLIENT), ("x-forwarded-proto", "https")) == Origin("", secure=False)


@pytest.mark.parametrize(
    ("peer", "said", "secure"),
    [
        (PROXY, ["https"], True),
        (PROXY, ["HTTPS"], True),
        (PROXY, ["http"], False),
        (PROXY, ["http", "https"], False),
        (PROXY, ["https, http"], False),
        (PROXY, [], False),
        (CLIENT, ["https"], False),
    ],
)
def test_only_a_trusted_proxy_can_say_that_a_request_came_by_tls(peer: str, said: list[str], *, secure: bool) -> None:
    assert origin(peer, *(("X-Forwarded-Proto", value) for value in said)).secure is secure


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("198.51.100.7", "198.51.100.8", False),
        ("2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("", "198.51.100.7", False),
    ],
)
def test_addresses_of_one_household_are_one_caller(one: str, other: str, *, same: bool) -> None:
    assert (neighbourhood(one) == neighbourhood(other)) is same


@pytest.mark.parametrize("text", ["", " ", "1", "1.2.3", "1.2.3.4.5", "1.2.3.4/8", "::1::", "localhost", "0x7f000001"])
def test_what_is_no_address_is_none(text: str) -> None:
    assert parsed(text) is None
