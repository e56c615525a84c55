"""The store on MongoDB: ``MongoStore.open(url)`` in ``store.py`` is the way in."""
