"""The store on SQLite and PostgreSQL: ``SqlStore.open(url)`` in ``store.py`` is the way in."""
