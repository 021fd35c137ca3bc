"""Folds of the journal and the database into figures and words."""
