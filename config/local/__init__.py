"""Services that run beside the code on a developer's machine: PostgreSQL, Redis and a process supervisor.

The binaries come from the Python environment, so that `make demo` and `make test` need nothing installed.
Production brings its own services; nothing here is imported there.
"""
