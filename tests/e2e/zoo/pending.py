"""What the product does not get right yet, and why; empty when it does."""

CASES = {
    "six-dropped": "each address is judged",
    "six-refused": "each address is judged",
    "one-address-dead": "each address is judged",
    "web-smtp-starttls": "the second look in clear after STARTTLS silence",
    "captive-portal": "a word to a server that waits behind TLS",
    "old-tls-too": "remarks",
}
# Outcomes without a case.
OUTCOMES = set()
