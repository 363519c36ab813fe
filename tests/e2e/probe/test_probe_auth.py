#!/usr/bin/env python3
"""Every way to log in, against a real Dovecot: with what is right, what has expired, and what is another's.

    python3 tests/e2e/probe/test_probe_auth.py --bin FOLDER     (or MM_BIN=FOLDER)

The Kerberos part starts a KDC and needs root.
"""

import os
import re
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import authservers  # noqa: E402
import harness  # noqa: E402
from authservers import client_certificate, token  # noqa: E402
from harness import ALICE, Base, task  # noqa: E402

PORTS = {"imap": "imaps", "pop3": "pop3s", "smtp": "submissions"}
KDC = [authservers.Kdc() if os.getuid() == 0 and os.path.exists("/etc/krb5.conf") else None]


class Auth(Base):
    def attempt(self, protocol, auth, secret=None, **more):
        """One login over TLS; a secret of None is one that is not there."""
        port = self.dovecot.ports[PORTS[protocol]]
        more.setdefault("ca_file", self.ca)
        secrets = more.pop("records", [secret] if secret is not None else [])
        t = task(1, protocol, "tls", port, auth=auth, **more)
        if secret is None:
            t.pop("secret", None)
        before = len(self.dovecot.log())
        answer = self.ask([t], secrets)[1]
        self.said = self.dovecot.log()[before:]
        return answer

    def method(self, user="alice"):
        """By which mechanism Dovecot says that the user came in."""
        for _ in range(100):
            found = re.findall(rf"Login: user=<{user}> method=(\S+)|Login: user=<{user}>, method=(\S+?),", self.said)
            if found:
                return "".join(found[-1])
            time.sleep(0.02)
            self.said = self.dovecot.log()
        return None

    def holds(self, protocol, auth, mechanism, secret=None, **more):
        self.expect(self.attempt(protocol, auth, secret, **more), "passed", "", "login")
        self.assertEqual(self.method(), mechanism)

    def refused(self, protocol, auth, cls, secret=None, reached="tls", **more):
        a = self.attempt(protocol, auth, secret, **more)
        self.expect(a, "failed", cls, reached)
        return a


class Passwords(Auth):
    def test_the_mechanism_is_the_one_of_the_settings(self):
        """libcurl's own choice among these would be CRAM-MD5, or XOAUTH2, whatever the settings say."""
        for protocol in PORTS:
            for auth, mechanism in (("plain", "PLAIN"), ("login", "LOGIN"), ("cram-md5", "CRAM-MD5"),
                                    ("password", "PLAIN")):
                with self.subTest(protocol=protocol, auth=auth):
                    self.holds(protocol, auth, mechanism, ALICE.encode())
                    self.refused(protocol, auth, "AUTH_REJECTED", b"wrong")
                    self.refused(protocol, auth, "AUTH_REJECTED", ALICE.encode(), username="bob")

    def test_what_cannot_be_tested_is_said(self):
        for protocol in PORTS:
            a = self.attempt(protocol, "scram-sha-256", ALICE.encode())
            self.expect(a, "untested", "MECH_NOT_TESTABLE", "tls")
            self.assertNotIn("alice", self.said)


class Tokens(Auth):
    def test_tokens(self):
        for protocol in PORTS:
            for auth, mechanism in (("xoauth2", "XOAUTH2"), ("oauthbearer", "OAUTHBEARER")):
                with self.subTest(protocol=protocol, auth=auth):
                    self.holds(protocol, auth, mechanism, token())
                    for wrong in (token(lifetime=-60), token("bob"), token(key=b"k" * 32), b"no-token-at-all"):
                        self.refused(protocol, auth, "AUTH_TOKEN_REFUSED", wrong)

    def test_the_error_object_is_read(self):
        for protocol in PORTS:
            a = self.refused(protocol, "xoauth2", "AUTH_TOKEN_REFUSED", token(lifetime=-60))
            self.assertIn("status 401", a["admin"])
            self.assertIn("scope mail", a["admin"])
            a = self.refused(protocol, "oauthbearer", "AUTH_TOKEN_REFUSED", token(lifetime=-60))
            self.assertIn("status invalid_token", a["admin"])

    def test_no_token(self):
        self.expect(self.attempt("imap", "xoauth2"), "untested", "NO_SECRET", "tls")


class Certificates(Auth):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        pki = cls.dovecot.pki
        cls.own = client_certificate(pki, "client-alice", "alice")
        cls.another = client_certificate(pki, "client-bob", "bob")
        cls.expired = client_certificate(pki, "client-expired", "alice", days="-1")
        cls.foreign = client_certificate(pki, "client-foreign", "alice", issuer="other")

    def test_certificates(self):
        for protocol in PORTS:
            with self.subTest(protocol=protocol):
                self.holds(protocol, "external", "EXTERNAL", certificate=0, records=[self.own])
                for wrong in (self.another, self.expired, self.foreign):
                    a = self.refused(protocol, "external", "AUTH_CERT_REFUSED", certificate=0, records=[wrong])
                    self.assertNotIn("password", a["text"])

    def test_none_is_none(self):
        for protocol in PORTS:
            self.expect(self.attempt(protocol, "external"), "untested", "NO_CLIENT_CERT", "tls")

    def test_one_that_is_none(self):
        key = self.own[self.own.index(b"-----BEGIN PRIVATE KEY"):]
        cert = self.own[:self.own.index(b"-----BEGIN PRIVATE KEY")]
        other_key = self.another[self.another.index(b"-----BEGIN PRIVATE KEY"):]
        for bad in (b"rubbish", key, cert, cert + other_key):
            a = self.attempt("imap", "external", certificate=0, records=[bad])
            self.assertEqual((a["result"], a["class"]), ("untested", "NO_CLIENT_CERT"), a)

    def test_beside_a_password(self):
        """Where the connection needs one, and the login is by password: both are used."""
        self.holds("imap", "plain", "PLAIN", ALICE.encode(), certificate=1, records=[ALICE.encode(), self.own])
        # it does not stand in for the password
        self.refused("imap", "plain", "AUTH_REJECTED", b"wrong", certificate=1, records=[b"wrong", self.own])

    def test_size(self):
        """A chain has room; a record beyond the limit is refused as a whole."""
        filler = b"# " + b"x" * 60 + b"\n"
        self.holds("imap", "external", "EXTERNAL", certificate=0, records=[filler * 900 + self.own])
        port = self.dovecot.ports["imaps"]
        t = task(1, "imap", "tls", port, auth="external", certificate=0, ca_file=self.ca)
        t.pop("secret")
        proc = harness.start([t], [b"x" * (64 * 1024 + 1)])
        out, err = proc.communicate(timeout=60)
        self.assertEqual((proc.returncode, out), (65, b""))
        self.assertIn(b"more than 65536 bytes", err)
        # a password has not
        t = task(1, "imap", "tls", port, ca_file=self.ca)
        proc = harness.start([t], [b"x" * 4097])
        out, err = proc.communicate(timeout=60)
        self.assertEqual((proc.returncode, out), (65, b""))
        self.assertIn(b"more than 4096 bytes", err)

    def test_not_sent_without_a_login(self):
        """A look at the endpoint carries nothing of the user's."""
        a = self.attempt("imap", "external", level="tls", certificate=0, records=[self.own])
        self.assertEqual(a["result"], "passed", a)
        self.assertNotIn("alice", self.said)


@unittest.skipUnless(KDC[0], "needs root, and krb5-kdc")
class Tickets(Auth):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.alice = KDC[0].ticket("alice")
        cls.bob = KDC[0].ticket("bob")

    def test_tickets(self):
        for protocol in PORTS:
            with self.subTest(protocol=protocol):
                self.holds(protocol, "gssapi", "GSSAPI", ccache=self.alice)
                # another's ticket: libcurl alone would log in as bob and call it a success
                a = self.refused(protocol, "gssapi", "KRB_FAILED", ccache=self.bob)
                self.assertIn("Authentication failed", a["admin"])

    def test_none(self):
        for protocol in PORTS:
            a = self.attempt(protocol, "gssapi", ccache="/nonexistent/ticket")
            self.expect(a, "untested", "NO_TICKET", "tls")
            self.assertIn("No Kerberos credentials available", a["admin"])
            self.expect(self.attempt(protocol, "gssapi"), "untested", "NO_TICKET", "tls")

    def test_expired(self):
        old = KDC[0].ticket("alice", "-l", "1s", name="old")
        time.sleep(2.2)
        a = self.attempt("imap", "gssapi", ccache=old)
        self.expect(a, "untested", "NO_TICKET", "tls")
        self.assertIn("expired", a["admin"].lower())

    def test_service_unknown(self):
        a = self.attempt("imap", "gssapi", ccache=self.alice, host="127.0.0.1")
        self.expect(a, "failed", "KRB_FAILED", "tls")
        self.assertIn("not found in Kerberos database", a["admin"])
        self.assertIn("GSSAPI", [n["admin"] for n in a["notes"] if n["class"] == "MECH_UNUSABLE"][0])

    def test_one_cache_a_run(self):
        port = self.dovecot.ports["imaps"]
        tasks = [task(i, "imap", "tls", port, auth="gssapi", ca_file=self.ca, ccache=c, secret=None)
                 for i, c in enumerate((self.alice, self.bob))]
        proc = harness.start(tasks)
        out, err = proc.communicate(timeout=60)
        self.assertEqual((proc.returncode, out), (65, b""))
        self.assertIn(b"two ticket caches", err)

    def test_the_cache_is_not_written(self):
        """The Kerberos library would put the service's ticket into it."""
        if harness.sanitized():
            self.skipTest("a build with a sanitizer has no sandbox")
        before = open(self.alice, "rb").read()
        self.holds("imap", "gssapi", "GSSAPI", ccache=self.alice)
        self.assertEqual(open(self.alice, "rb").read(), before)


if __name__ == "__main__":
    try:
        harness.main(__name__, lambda: authservers.AuthDovecot(KDC[0]))
    finally:
        if KDC[0]:
            KDC[0].stop()
