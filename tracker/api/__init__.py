"""The operations: one module per tag of the spec, one public function per operationId, in snake case.

A handler reads, applies rules and returns a Reply: an answer and the changes that make it true. It never writes.
Its arguments are handed over by name: the operation's parameters, ``body``, and from the edge ``actor``, ``store``,
``clock``, ``passwords``, ``tokens``, ``cursors``, ``first_user_is_admin``.
"""
