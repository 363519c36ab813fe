"""What evolution-data-server, GNOME Online Accounts and GLib make of what the adapters wrote.

The two are asked over D-Bus, on a session bus of the test's own, without a screen. Evolution's
values come from its own library, not from the files.
"""

import ast
import email.header
import email.utils
import json
import pathlib
import unittest
import urllib.parse

from gnomelib import SECURITY, ServerCase, SessionCase, account, sheet, wait_for
from realclient import HOSTILE, ClientCase, proves

MINE = ("[Data Source]\nDisplayName=Mine\nEnabled=true\n\n[Mail Account]\nBackendName=imapx\n\n"
        "[Authentication]\nHost=imap.private.example\nPort=993\nUser= me \n")


def hostile():
    """One account for each of the names."""
    return [account(account__address=f"a{i}@acme.example", account__real_name=v, account__organisation=v, incoming__username=v,
                    outgoing__username=v) for i, v in enumerate(HOSTILE)]


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

    @proves("evolution", "read back")
    def test_three_sources_are_one_account(self):
        a = account(account__organisation="Acme | Söhne; \\q", account__reply_to="al@acme.example",
                    incoming__username="a b`$(id)|%s\\n", outgoing__security="starttls", outgoing__port="587")
        self.home.apply("evolution", sheet(a))
        seen = self.check(a)
        self.assertEqual(seen["mine"]["Authentication"]["user"], "me")
        # The registry put keys of its own into the files: nothing that is ours became something else.
        # It writes when it has time to: one that is ended early leaves them to the next.
        source = self.folder / "mailmuster-work-1.source"
        for _ in range(5):
            if "RememberPassword" not in source.read_text():
                self.check(a)
        self.assertIn("RememberPassword", source.read_text())
        self.assertEqual(self.home.driver("apply", "evolution", sheet(a)), "")

    def test_folders(self):
        a = account(account__folder_sent="INBOX/Gesendet & Co #1", account__folder_drafts="Entwürfe/`id` 50€ (x); y",
                    account__folder_trash="Müll \\ x", account__folder_junk="Junk")
        self.home.apply("evolution", sheet(a))
        seen = self.check(a)
        identity = seen[seen["mailmuster-work-1"]["Mail Account"]["identity_uid"]]
        for uri, wanted in ((identity["Mail Submission"]["sent_folder"], a["account.folder_sent"]),
                            (identity["Mail Composition"]["drafts_folder"], a["account.folder_drafts"])):
            self.assertEqual(urllib.parse.urlsplit(uri)[:2], ("folder", "mailmuster-work-1"))
            self.assertEqual(urllib.parse.unquote(urllib.parse.urlsplit(uri).path), "/" + wanted)
        again = self.home.seen("evolution")["mailmuster-work-1"]  # the registry has written the files since
        for setting in ("sent", "drafts", "trash", "junk"):
            self.assertEqual(again[f"account.folder_{setting}"], a[f"account.folder_{setting}"])

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

    @proves("evolution", "running")
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

    @proves("evolution", "hostile")
    def test_hostile_names(self):
        """Names that look like commands, one account each: the registry has them as they are."""
        wanted = hostile()
        self.home.apply("evolution", sheet(*wanted))
        seen = self.sources()
        for i, a in enumerate(wanted):
            incoming = seen[f"mailmuster-work{i or ''}-1"]
            identity = seen[incoming["Mail Account"]["identity_uid"]]
            transport = seen[identity["Mail Submission"]["transport_uid"]]
            self.assertEqual([incoming["Authentication"]["user"], transport["Authentication"]["user"],
                              identity["Mail Identity"]["name"], identity["Mail Identity"]["organization"]],
                             [a["incoming.username"]] * 4)
        self.assertFalse(list(self.home.path.rglob("marker")))

    def test_temporary_files_are_nothing_to_it(self):
        """The agent's are named .NAME.mailmuster.XXXXXX, beside the file."""
        self.home.write(".config/evolution/sources/.mailmuster-work-1.source.mailmuster.a1b2c3", MINE)
        seen = self.sources()
        self.assertIn("mine", seen)
        self.assertFalse([uid for uid in seen if "mailmuster" in uid])


GOA = "org.gnome.OnlineAccounts"
OBJECT = "/org/gnome/OnlineAccounts/Accounts/account_mailmuster_work"


class OnlineAccounts(ServerCase):
    def setUp(self):
        super().setUp()
        self.home.write(".config/goa-1.0/accounts.conf",
                        "# mine\n[Account account_1500000000_0]\nProvider=none\nIdentity=me\n")

    def mail(self, name):
        return self.property(GOA, OBJECT, GOA + ".Mail", name)

    def store_password(self):
        self.start_keyring()
        self.on_bus("secret-tool", "store", "--label=x", "xdg:schema", "org.gnome.OnlineAccounts", "goa-identity",
                    "imap_smtp:gen0:account_mailmuster_work",
                    stdin="{'imap-password': <'pw 1'>, 'smtp-password': <'pw 1'>}")

    def log_in(self, security):
        """The daemon itself logs in to both servers with what was written."""
        a = self.account(security)
        self.home.apply("goa", sheet(a))
        self.store_password()
        out = self.on_bus("gdbus", "call", "--session", "--dest", GOA, "--object-path", OBJECT, "--method",
                          GOA + ".Account.EnsureCredentials")
        self.assertEqual(out.strip(), "(0,)")
        for service, user, side in (("imap", "alice@acme.example", "incoming"), ("submission", "alice", "outgoing")):
            self.assertTrue(self.logged_in(service, user, a[side + ".port"]), service)
        self.check(a)
        self.assertEqual(self.home.driver("apply", "goa", sheet(a)), "")

    def check(self, a):
        tls = a["incoming.security"] == "tls"
        for side, name in (("incoming", "Imap"), ("outgoing", "Smtp")):
            self.assertEqual(self.mail(name + "Host"), f"(<'{a[side + '.host']}:{a[side + '.port']}'>,)")
            self.assertEqual(self.mail(name + "UserName"), f"(<'{a[side + '.username']}'>,)")
            self.assertEqual(self.mail(name + "UseSsl"), "(<true>,)" if tls else "(<false>,)")
            self.assertEqual(self.mail(name + "UseTls"), "(<false>,)" if tls else "(<true>,)")
            self.assertEqual(self.mail(name + "AcceptSslErrors"), "(<false>,)")
        self.assertEqual(self.mail("EmailAddress"), "(<'alice@acme.example'>,)")
        self.assertIn("$(x)", self.mail("Name"))

    @proves("goa", "imap tls", "smtp tls", "read back")
    def test_tls(self):
        self.log_in("tls")

    @proves("goa", "imap starttls", "smtp starttls")
    def test_starttls(self):
        self.log_in("starttls")

    @proves("goa", "hostile")
    def test_hostile_names(self):
        """Names that look like commands, one account each: the daemon has them as they are."""
        wanted = [{**a, "account.organisation": None} for a in hostile()]
        self.home.apply("goa", sheet(*[{k: v for k, v in a.items() if v is not None} for a in wanted]))
        for i, a in enumerate(wanted):
            for name, key in (("Name", "account.real_name"), ("ImapUserName", "incoming.username"),
                              ("SmtpUserName", "outgoing.username")):
                seen = self.property(GOA, OBJECT + (str(i) if i else ""), GOA + ".Mail", name)
                self.assertEqual(ast.literal_eval(seen[2:-3]), a[key], name)
        self.assertFalse(list(self.home.path.rglob("marker")))

    def test_a_change_shows_when_the_daemon_starts_anew(self):
        a = self.account("tls")
        self.home.apply("goa", sheet(a))
        self.check(a)
        moved = self.account("starttls")
        self.home.apply("goa", sheet(moved))
        # The name by which it is known while it runs.
        pid = self.pid_on_bus(GOA)
        self.assertEqual(self.comm(pid), "goa-daemon")
        self.end(pid)
        wait_for("goa-daemon to end", lambda: not pathlib.Path(f"/proc/{pid}").exists())
        self.check(moved)


# What the library with which Geary reads its files makes of one.
GEARY_INI = """
import gi, json, sys
from gi.repository import GLib
f = GLib.KeyFile()
f.load_from_file(sys.argv[1], GLib.KeyFileFlags.NONE)
out = {g + "." + k: f.get_string(g, k) for g in f.get_groups()[0] for k in f.get_keys(g)[0]}
out["senders"] = list(f.get_string_list("Account", "sender_mailboxes"))
print(json.dumps(out))
"""


class GearyFile(ClientCase):
    @proves("geary", "hostile")
    def test_hostile_names(self):
        self.home.write(".config/geary/goa_1/geary.ini", "[Metadata]\ngoa_id=1\n")
        wanted = hostile()
        self.home.apply("geary", sheet(*wanted))
        for i, a in enumerate(wanted):
            p = self.home.run("/usr/bin/python3", "-c", GEARY_INI, self.home.path / f".config/geary/account_{i + 1:02d}/geary.ini")
            self.assertEqual(p.returncode, 0, p.stderr)
            seen = json.loads(p.stdout)
            self.assertEqual([seen["Incoming.login"], seen["Outgoing.login"]], [a["incoming.username"]] * 2)
            (name, address), = email.utils.getaddresses([seen["senders"][0]])
            self.assertEqual([str(email.header.make_header(email.header.decode_header(name))), address],
                             ["" if set(a["account.real_name"]) & {'"', "\\"} else a["account.real_name"],
                              a["account.address"]])  # a name with quotes is refused
        self.assertFalse(list(self.home.path.rglob("marker")))

    def test_as_glib_and_mail_readers_see_it(self):
        a = account(incoming__username="a b`$(id)|%s\\n;", outgoing__security="starttls", outgoing__port="587",
                    account__real_name="Łukasz, Al `id`; $(x) #")
        self.home.write(".config/geary/goa_1/geary.ini", "[Metadata]\ngoa_id=1\n")
        self.home.apply("geary", sheet(a))
        path = self.home.path / ".config/geary/account_01/geary.ini"
        p = self.home.run("/usr/bin/python3", "-c", GEARY_INI, path)
        self.assertEqual(p.returncode, 0, p.stderr)
        seen = json.loads(p.stdout)
        for group, side in (("Incoming", "incoming"), ("Outgoing", "outgoing")):
            self.assertEqual([seen[f"{group}.{k}"] for k in ("host", "port", "login")],
                             [a[f"{side}.{k}"] for k in ("host", "port", "username")])
        self.assertEqual([seen["Incoming.transport_security"], seen["Outgoing.transport_security"]],
                         ["transport", "start-tls"])
        (name, address), = email.utils.getaddresses([seen["senders"][0]])
        self.assertEqual(address, a["account.address"])
        self.assertEqual(str(email.header.make_header(email.header.decode_header(name))), a["account.real_name"])


if __name__ == "__main__":
    unittest.main()
