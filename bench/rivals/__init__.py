"""The same work in other frameworks, as their users write it; their packages are in ``.venv-bench`` alone.

Both work on the tables of the measurement and keep the same log; they read the user of the token on every request and
no session, and search no words. What Tracker does besides (the contract, permissions, conditions, keys, heads that are
remembered by) is in neither.
"""
