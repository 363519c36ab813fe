"""smtpmail of Emacs logs in to a real Dovecot with what the adapter wrote; nothing of it is run as Lisp."""

import unittest

from realclient import have, proves
from termcase import PLAIN_PASSWORD, PLAIN_USER, HostileCase, ServerCase

INIT = ".emacs.d/init.el"
SEND = """(setq gnutls-trustfiles '("{ca}") message-kill-buffer-on-exit t mail-host-address "localhost")
(require 'message)
(message-mail "bob@acme.example" "t")
(message-goto-body)
(insert "x")
(message-send-and-exit)
"""


class Emacs(ServerCase):
    def batch(self, *args):
        return self.home.run("emacs", "-Q", "--batch", "-l", self.home.path / INIT, *args)

    def send(self, ca=None):
        self.home.write("send.el", SEND.format(ca=ca or self.server.ca.cert))
        return self.batch("-l", self.home.path / "send.el")

    def account_of_emacs(self, security, **more):
        return self.account(security, incoming__ca_file=None, outgoing__ca_file=None,
                            outgoing__username=PLAIN_USER, **more)

    def provisioned(self, account, init=None):
        self.fresh()
        (self.home.path / ".emacs.d").mkdir()
        if init:
            self.home.write(INIT, init)
        self.home.apply("emacs", self.sheet(account))
        self.home.write(".authinfo", f"machine {account['outgoing.host']} port {account['outgoing.port']} "
                        f"login {PLAIN_USER} password {PLAIN_PASSWORD}\n")

    @have("emacs")
    @proves("emacs", "smtp tls", "smtp starttls")
    def test_login(self):
        for security in ("tls", "starttls"):
            with self.subTest(security=security):
                a = self.account_of_emacs(security)
                self.provisioned(a)
                self.expect_outgoing(a, self.send)

    @have("emacs")
    def test_refused(self):
        """An authority that nobody knows, and a server without STARTTLS where it is wanted."""
        self.provisioned(self.account_of_emacs("tls"))
        self.expect_refusal(lambda: self.send("/nonexistent"))
        self.provisioned({**self.account_of_emacs("starttls"), "outgoing.host": "127.0.0.2"})
        self.expect_refusal(self.send)

    @have("emacs")
    def test_adopted(self):
        """What stands before our line no longer counts."""
        a = self.account_of_emacs("starttls")
        self.provisioned(a, '(setq user-mail-address "alice@acme.example" smtpmail-smtp-server "localhost"\n'
                         ' smtpmail-smtp-service 9 ; no\n smtpmail-stream-type nil)\n'
                         "(setq send-mail-function 'sendmail-send-it)")
        self.expect_outgoing(a, self.send)


class EmacsHostile(HostileCase):
    @have("emacs")
    @proves("emacs", "hostile")
    def test_emacs(self):
        def act(a):
            p = self.home.run("emacs", "-Q", "--batch", "-l", self.home.path / INIT, "--eval",
                              "(princ (concat smtpmail-smtp-user (string 10) user-full-name))")
            self.assertEqual(p.stdout, f"{a['outgoing.username']}\n{a['account.real_name']}", p.stderr)
            return p
        self.check("emacs", [*self.values, "\\u0041 \\x", ",@(delete) ?", "(shell-command \"id\")", "\\\""], act,
                   side="outgoing", command=False)


if __name__ == "__main__":
    unittest.main()
