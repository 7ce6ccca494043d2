"""Builders of examples, one module a study, and the splits they share."""
