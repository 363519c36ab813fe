"""What the product does not get right yet, and why; empty when it does."""

CASES = {}
# Outcomes without a case.
OUTCOMES = set()
