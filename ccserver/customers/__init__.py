"""Knowing the customer: who this is and how sure we are, what is at stake, what the desk may see."""
