"""What the product does not get right yet, and why; empty when it does."""

CASES = {
    "web-smtp-starttls": "the second look in clear after STARTTLS silence",
    "captive-portal": "a word to a server that waits behind TLS",
}
# Outcomes without a case.
OUTCOMES = set()
