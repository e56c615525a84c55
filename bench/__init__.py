"""The speed figures, runnable by anyone: ``make bench``."""
