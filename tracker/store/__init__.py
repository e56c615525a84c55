"""Keeps domain objects and knows no rule about them."""
