"""What the product does not get right yet, and why; empty when it does."""

CASES = {
    "six-dropped": "each address is judged",
    "six-no-route": "each address is judged",
    "one-address-dead": "each address is judged",
    "web-smtp-starttls": "the second look in clear after STARTTLS silence",
    "captive-portal": "a word to a server that waits behind TLS",
    "old-tls-too": "remarks",
}
# Outcomes without a case.
OUTCOMES = {
    "AUTH_CERT_REFUSED",
    "BAD_SETTINGS",
    "CERT_OTHER",
    "CERT_WEAK_SOON",
    "CONN_FAILED",
    "KRB_FAILED",
    "LOCAL_TROUBLE",
    "MECH_DIFFERS",
    "MECH_UNUSABLE",
    "NO_CLIENT_CERT",
    "NO_TICKET",
    "OCSP_INVALID",
    "OCSP_REVOKED",
    "PROTOCOL_ERROR",
    "ROUNDTRIP_NOT_TESTED",
    "SEND_REFUSED",
    "SERVER_SLOW",
    "TOO_BIG",
    "TRIP_BOUNCED",
    "TRIP_JUNK",
    "TRIP_LEFT_OVER",
    "TRIP_NOT_SEEN",
    "TRIP_REFUSED",
}
