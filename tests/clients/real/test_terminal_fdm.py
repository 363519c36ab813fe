"""fdm logs in to a real Dovecot with what the adapter wrote; nothing of it runs as a command."""

import os
import pathlib
import pwd
import unittest

from realclient import have, proves
from termcase import HostileCase, ServerCase


WRAPPER = "libnss_wrapper.so"


def fdm(home, **more):
    """fdm asks the system for the home, not the environment: the wrapper answers."""
    rows = [p[:5] + (str(home.path), p[6]) if p.pw_uid == os.getuid() else p for p in pwd.getpwall()]
    home.write("../passwd", "".join(":".join(map(str, p)) + "\n" for p in rows))
    home.write("../group", pathlib.Path("/etc/group").read_text())
    with (home.path / ".fdm.conf").open("a") as conf:  # as root its lock is one for the whole system
        conf.write("\nset allow-multiple\n")
    return home.run("fdm", "poll", LD_PRELOAD=WRAPPER, NSS_WRAPPER_PASSWD=str(home.dir / "passwd"),
                    NSS_WRAPPER_GROUP=str(home.dir / "group"), **more)


class Fdm(ServerCase):
    def poll(self, **more):
        return fdm(self.home, SSL_CERT_FILE=str(self.server.ca.cert), **more)

    def account_of_fdm(self, security, protocol):
        return self.account(security, protocol, incoming__ca_file=None)

    @have("fdm")
    @proves("fdm", "imap tls", "imap starttls", "pop3 tls", "pop3 starttls")
    def test_login(self):
        for protocol in ("imap", "pop3"):
            for security in ("tls", "starttls"):
                with self.subTest(protocol=protocol, security=security):
                    a = self.account_of_fdm(security, protocol)
                    self.provision("fdm", a)
                    self.expect_incoming(a, self.poll)

    @have("fdm")
    def test_refused(self):
        """An authority that nobody knows."""
        for security in ("tls", "starttls"):
            with self.subTest(security=security):
                self.provision("fdm", self.account_of_fdm(security, "imap"))
                self.expect_refusal(lambda: fdm(self.home))

    @have("fdm")
    def test_without_starttls(self):
        """A server that offers none: nothing goes over the line in clear."""
        self.provision("fdm", {**self.account_of_fdm("starttls", "imap"), "incoming.host": "127.0.0.2"})
        self.expect_refusal(self.poll)

    @have("fdm")
    def test_adopted(self):
        a = self.account_of_fdm("starttls", "imap")
        self.home.write(".fdm.conf", "set verify-certificates\n$host = \"local\" + 'host'\naccount 'mine' imaps "
                        "server $host port 3\n\tuser \"alice@acme.example\" pass $(false) # no\n"
                        "no-verify keep\n")
        self.home.driver("apply", "fdm", {**self.sheet(a), "create": "existing"})
        self.expect_incoming(a, self.poll)


    CONDITIONS = (
        "$word = 'x'\n%%number = 1\nset unmatched-mail keep\n"
        "ifdef $word\n%s\nendif\nifndef $word\n%s\nendif\n"
        "ifdef $none\n%s\nifdef %%number\n%s\nendif\n%s\nendif\n"
        "ifdef %%number\nifdef $none\nendif\n%s\nendif\n"
        "$late = 'x'\nifdef $late\n%s\nendif\nifdef $late\n%s\nendif\n")

    @have("fdm")
    def test_left_out(self):
        """What ifdef leaves out for fdm is left out for the adapter."""
        names = ["n%d" % i for i in range(8)]
        self.home.write(".fdm.conf", self.CONDITIONS % tuple(
            'account "%s" imaps server "h" user "u" pass "p" keep' % n for n in names))
        said = self.home.run("fdm", "-f", self.home.path / ".fdm.conf", "-nvv")
        seen = self.home.driver("show", "fdm").splitlines()
        for n in names:
            with self.subTest(account=n):
                out = [line for line in seen if line.startswith(n + " ") and "overridden by if" in line]
                self.assertEqual('added account "%s"' % n in said.stdout + said.stderr, not out)


class FdmHostile(HostileCase):
    @have("fdm")
    @proves("fdm", "hostile")
    def test_fdm(self):
        self.check("fdm", self.values, lambda _: fdm(
            self.home, SSL_CERT_FILE=str(self.server.ca.cert)))


if __name__ == "__main__":
    unittest.main()
