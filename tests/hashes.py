"""A hash of passwords for tests that are about something else: it costs a thousandth of the real one."""

from __future__ import annotations

from argon2 import PasswordHasher

CHEAP = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
