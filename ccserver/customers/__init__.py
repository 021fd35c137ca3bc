"""Knowing the customer: who this is and how sure we are, what is at stake, and what the desk may see of them."""
