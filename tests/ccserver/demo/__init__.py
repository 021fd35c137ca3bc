"""Tests of ccserver/demo that need no process."""
