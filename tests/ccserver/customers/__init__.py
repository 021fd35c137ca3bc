"""Tests of knowing the customer."""
