"""Systems that push their records to us, instead of being asked."""
