"""What evolution-data-server and GNOME Online Accounts make of what the adapters wrote.

Both are asked over D-Bus, on a session bus of the test's own, without a screen. Evolution's
values come from its own library, not from the files.
"""

import unittest

from gnomelib import SECURITY, SessionCase, account, sheet, wait_for

MINE = ("[Data Source]\nDisplayName=Mine\nEnabled=true\n\n[Mail Account]\nBackendName=imapx\n\n"
        "[Authentication]\nHost=imap.private.example\nPort=993\nUser= me \n")


class Evolution(SessionCase):
    def setUp(self):
        super().setUp()
        self.folder = self.home.path / ".config/evolution/sources"
        self.home.write(".config/evolution/sources/mine.source", MINE)

    def check(self, a, uid="mailmuster-work-1"):
        """The registry's view of the three sources is the policy's."""
        seen = self.sources()
        incoming = seen[uid]
        identity = seen[incoming["Mail Account"]["identity_uid"]]
        transport = seen[identity["Mail Submission"]["transport_uid"]]
        self.assertTrue(incoming["enabled"] and identity["enabled"] and transport["enabled"])
        self.assertEqual(incoming["Mail Account"]["backend_name"],
                         {"imap": "imapx", "pop3": "pop"}[a["incoming.protocol"]])
        self.assertEqual(transport["Mail Transport"]["backend_name"], "smtp")
        for side, source in (("incoming", incoming), ("outgoing", transport)):
            auth = source["Authentication"]
            self.assertEqual([auth["host"], str(auth["port"]), auth["user"]],
                             [a[f"{side}.{k}"] for k in ("host", "port", "username")])
            self.assertEqual(SECURITY[source["Security"]["method"]], a[f"{side}.security"])
        who = identity["Mail Identity"]
        self.assertEqual([who["address"], who["name"], who["organization"], who["reply_to"]],
                         [a.get("account." + k) for k in ("address", "real_name", "organisation", "reply_to")])
        return seen

    def test_three_sources_are_one_account(self):
        a = account(account__organisation="Acme | Söhne; \\q", account__reply_to="al@acme.example",
                    incoming__username="a b`$(id)|%s\\n", outgoing__security="starttls", outgoing__port="587")
        self.home.apply("evolution", sheet(a))
        seen = self.check(a)
        self.assertEqual(seen["mine"]["Authentication"]["user"], "me")
        # The registry put keys of its own into the files: nothing that is ours became something else.
        written = (self.folder / "mailmuster-work-1.source").read_text()
        self.assertIn("RememberPassword", written)
        self.assertEqual(self.home.driver("apply", "evolution", sheet(a)), "")

    def test_pop3_that_stays_on_the_server(self):
        a = account(incoming__protocol="pop3", incoming__port="995", incoming__leave_on_server="yes")
        self.home.apply("evolution", sheet(a))
        self.check(a)
        self.assertEqual(self.home.seen("evolution")["mailmuster-work-1"]["incoming.leave_on_server"], "yes")

    def test_what_is_missing_is_what_the_adapter_says(self):
        """No [Security] is no encryption, blanks at the ends are cut off, an unreadable port is none."""
        self.home.write(".config/evolution/sources/mine.source", MINE.replace("Port=993", "Port=\\q"))
        ours = self.home.seen("evolution")["mine"]
        real = self.sources()["mine"]
        self.assertEqual(real["Authentication"]["user"], ours["incoming.username"])
        self.assertEqual(real["Authentication"]["port"], 0)
        self.assertNotIn("incoming.port", ours)
        self.assertNotIn("Security", real)
        self.assertEqual(ours["incoming.security"], "none")

    def test_a_change_is_taken_up_while_the_registry_runs(self):
        self.home.apply("evolution", sheet(account()))
        self.check(account())
        moved = account(incoming__port="143", incoming__security="starttls", outgoing__host="127.0.0.1")
        self.home.apply("evolution", sheet(moved))
        wait_for("the registry to notice", lambda: self.sources()["mailmuster-work-1"]["Authentication"]["port"] == 143, 15)
        self.check(moved)
        # And a whole account, while it runs.
        second = account(account__address="sales@acme.example", incoming__username="sales", outgoing__username="sales")
        self.home.apply("evolution", sheet(moved, second))
        wait_for("the registry to notice", lambda: "mailmuster-work1-1" in self.sources(), 15)
        self.check(second, "mailmuster-work1-1")

    def test_temporary_files_are_nothing_to_it(self):
        """The agent's are named .NAME.mailmuster.XXXXXX, beside the file."""
        self.home.write(".config/evolution/sources/.mailmuster-work-1.source.mailmuster.a1b2c3", MINE)
        seen = self.sources()
        self.assertIn("mine", seen)
        self.assertFalse([uid for uid in seen if "mailmuster" in uid])


if __name__ == "__main__":
    unittest.main()
