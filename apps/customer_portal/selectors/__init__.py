"""Reads of the customer portal: everything of one customer's production environment, in words a client understands."""
