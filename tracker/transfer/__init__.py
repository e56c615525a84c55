"""Data out and in: everything that is kept, from any store into any store, as lines of JSON."""
