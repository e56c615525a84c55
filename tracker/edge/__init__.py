"""Everything between the socket and a handler; the only room that knows Connexion and Flask."""
