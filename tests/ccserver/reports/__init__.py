"""Tests of figures and words."""
