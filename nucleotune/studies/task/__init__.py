"""A question of the user's own: any table of sequences with classes, labels or numbers."""
