"""What Thunderbird understands of its profiles equals what the adapter reads of them.

Thunderbird tells it through its remote control (Marionette), off line in a scratch home: its account
manager's own view, after it has loaded, mended and dropped what it does not like. And it sends a message
with what the adapter wrote.
"""

import imaplib
import json
import os
import re
import shutil
import socket
import ssl
import unittest

from realclient import GOLDEN, HOSTILE, free_ports, proves, sheet, wait_for
from thunderbirdlib import PASSWORD, TEST_PREFS, ThunderbirdCase

# Profiles with something of everything; the files of the machine are not ours to make here.
CASES = ("adopt-replaces", "adopt-shared-smtp", "crlf-and-oddities", "hostile-names", "old-starttls-number",
         "pop3-adopt-default-deletes", "tls-floor", "traps", "two-accounts", "wrong-types")

REMOTE_PREFS = """
user_pref("remote.prefs.recommended", false);
user_pref("marionette.port", %d);
user_pref("offline.startup_state", %d);
"""
ONLINE, OFFLINE = 2, 3

ACCOUNTS = """
const {MailServices} = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const smtp = id => {
  const s = id && MailServices.outgoingServer.getServerByIdentity(id);
  return s && {key: s.key, protocol: s.type, host: s.QueryInterface(Ci.nsISmtpServer).hostname,
               port: s.QueryInterface(Ci.nsISmtpServer).port, security: s.socketType, auth: s.authMethod,
               username: s.username};
};
return MailServices.accounts.accounts.filter(a => !["none", "nntp"].includes(a.incomingServer.type)).map(a => {
  const s = a.incomingServer, id = a.defaultIdentity;
  return {key: a.key,
    account: id && {address: id.email, real_name: id.fullName, reply_to: id.replyTo,
                    organisation: id.organization},
    incoming: {protocol: s.type, host: s.hostName ?? s.hostname, port: s.port, security: s.socketType,
               auth: s.authMethod, username: s.username, leave_on_server: s.type == "pop3" ?
               s.QueryInterface(Ci.nsIPop3IncomingServer).leaveMessagesOnServer : null},
    outgoing: smtp(id)};
});
"""

SEND = """
const [text, done] = arguments;
const {MailServices} = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const file = Services.dirsvc.get("TmpD", Ci.nsIFile);
file.append("message.eml");
file.createUnique(Ci.nsIFile.NORMAL_FILE_TYPE, 0o600);
IOUtils.writeUTF8(file.path, text).then(() => {
  const id = MailServices.accounts.accounts[0].defaultIdentity;
  MailServices.outgoingServer.getServerByIdentity(id).sendMailMessage(
    file, MailServices.headerParser.parseEncodedHeader("bob@acme.example"), [], id, id.email, null, null,
    false, "x@acme.example",
    {QueryInterface: ChromeUtils.generateQI(["nsIMsgOutgoingListener"]), onSendStart() {},
     onSendStop(uri, status, info, error) { file.remove(false); done([status, error]); }});
}).catch(e => done([-1, String(e)]));
"""

# Name and role of the folders that our preferences lead to, once the server has told them.
FOLDERS = """
const [uris, done] = arguments;
const {MailServices} = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const {MailUtils} = ChromeUtils.importESModule("resource:///modules/MailUtils.sys.mjs");
const {setTimeout} = ChromeUtils.importESModule("resource://gre/modules/Timer.sys.mjs");
const flags = Ci.nsMsgFolderFlags, server = MailServices.accounts.accounts[0].incomingServer;
const roles = {sent: flags.SentMail, drafts: flags.Drafts, trash: flags.Trash, junk: flags.Junk};
server.performExpand(null);
const look = tries => {
  const found = uris.map(u => MailUtils.getExistingFolder(u));
  const trash = server.rootFolder.getFolderWithFlags(flags.Trash);
  if ((found.includes(null) || !trash) && tries)
    return setTimeout(() => look(tries - 1), 200);
  done([...found, trash].map(f => f && [f.name, Object.keys(roles).filter(r => f.getFlag(roles[r]))]));
};
look(100);
"""

SECURITY = {2: "starttls", 3: "tls"}  # all others are none
AUTH = {1: "none", 3: "password", 4: "cram-md5", 5: "gssapi", 7: "external", 10: "xoauth2"}


def words(side):
    """Thunderbird's numbers as the adapter says them."""
    out = {k: v for k, v in (side or {}).items() if v not in (None, "") and k != "key"}
    if "security" in out or "host" in out:
        out["security"] = SECURITY.get(out.get("security"), "none")
        out["auth"] = AUTH[out["auth"]]
        if out.get("port"):
            out["port"] = str(out["port"])
    if "leave_on_server" in out:
        out["leave_on_server"] = "yes" if out["leave_on_server"] else "no"
    return out


class Remote:
    """Marionette's protocol: LENGTH:[type, id, command, parameters]."""

    def __init__(self, port):
        self.sock = wait_for("the remote control", lambda: self.connect(port), 40)
        self.sock.settimeout(60)
        self.count = 0
        self.receive()
        self.call("WebDriver:NewSession", {})
        self.call("Marionette:SetContext", {"value": "chrome"})

    @staticmethod
    def connect(port):
        try:
            return socket.create_connection(("127.0.0.1", port), 1)
        except OSError:
            return None

    def bytes(self, count):
        data = b""
        while len(data) < count:
            more = self.sock.recv(count - len(data))
            if not more:
                raise EOFError("the remote control went away")
            data += more
        return data

    def receive(self):
        head = b""
        while not head.endswith(b":"):
            head += self.bytes(1)
        return json.loads(self.bytes(int(head[:-1])))

    def call(self, command, parameters):
        self.count += 1
        body = json.dumps([0, self.count, command, parameters]).encode()
        self.sock.sendall(b"%d:" % len(body) + body)
        _, _, error, value = self.receive()
        if error:
            raise AssertionError(error)
        return value.get("value") if isinstance(value, dict) else value

    def script(self, text, *args, wait=False):
        return self.call("WebDriver:ExecuteAsyncScript" if wait else "WebDriver:ExecuteScript",
                         {"script": text, "args": list(args), "sandbox": "system"})


class Views(ThunderbirdCase):
    def remote(self, prefs, state):
        """Start with the remote control on."""
        port = free_ports(1)[0]
        text = prefs.read_bytes()
        prefs.write_bytes(text + (TEST_PREFS + REMOTE_PREFS % (port, state)).encode())
        p = self.start("--marionette", "--remote-allow-system-access")
        remote = Remote(port)
        self.addCleanup(remote.sock.close)
        return p, remote

    def compare(self, folder):
        for part in ("before", "after"):
            if (folder / part / "home/alice").is_dir():
                shutil.copytree(folder / part / "home/alice", self.home.path, dirs_exist_ok=True)
        prefs = self.home.path / ".thunderbird/abcd1234.default-default/prefs.js"
        ours = self.home.seen("thunderbird")
        p, remote = self.remote(prefs, OFFLINE)
        theirs = {a.pop("key"): a for a in remote.script(ACCOUNTS)}
        self.stop(p)
        hidden = {line.split()[0] for line in self.home.driver("show", "thunderbird").splitlines()
                  if "(the account is not shown)" in line}
        self.assertEqual(sorted(set(ours) - hidden), sorted(theirs))
        checked = 0
        for key, sides in theirs.items():
            if ours[key]["incoming.protocol"] not in ("imap", "pop3"):
                continue  # seen, and no more than that
            for side, values in sides.items():
                mine = {k.split(".")[1]: v for k, v in ours[key].items()
                        if k.startswith(side + ".") and not k.endswith(".tls_min") and ".folder_" not in k}
                theirs_now = words(values)
                if theirs_now.get("port", 1) == 0:  # of SMTP: the default, which it does not tell here
                    theirs_now["port"] = {"tls": "465"}.get(mine["security"], "587")
                self.assertEqual(mine, theirs_now, f"{key} {side}")
                checked += len(mine)
        return checked

    def test_cases(self):
        checked = 0
        for name in os.environ.get("MM_CASES", " ".join(CASES)).split():
            with self.subTest(case=name):
                shutil.rmtree(self.home.path)
                self.home.path.mkdir(mode=0o700)
                checked += self.compare(GOLDEN / "thunderbird" / name)
        self.assertGreater(checked, 100)

    def test_folders(self):
        """The folders that the policy names are those that Thunderbird finds on the server."""
        a = {**self.account("tls", "tls"), "account.folder_sent": "INBOX/Gesendet & Co",
             "account.folder_drafts": "Entwürfe/`id` 50€ 🗑", "account.folder_trash": "Bin/'old'",
             "account.folder_junk": "Junk; (y)"}
        context = ssl.create_default_context(cafile=self.server.ca.cert)
        with imaplib.IMAP4_SSL("localhost", self.server.ports["imaps"], ssl_context=context) as c:
            c.login("alice@acme.example", PASSWORD)
            for wire in ("INBOX.Gesendet &- Co", "Entw&APw-rfe.`id` 50&IKw- &2D3d0Q-", "Bin.'old'", "Junk; (y)"):
                for do in (c.create, c.subscribe):
                    self.assertEqual(do('"%s"' % wire)[0], "OK", wire)
        self.home.apply("thunderbird", sheet(a))
        self.provide("imap://localhost")
        prefs = self.profile() / "prefs.js"
        uris = re.findall(r'(?:fcc_folder|draft_folder|spamActionTargetFolder)", "(imap:[^"]*)"', prefs.read_text())
        p, remote = self.remote(prefs, ONLINE)
        found = remote.script(FOLDERS, uris, wait=True)
        self.stop(p)
        self.assertEqual(found, [["Gesendet & Co", ["sent"]], ["`id` 50€ 🗑", ["drafts"]],
                                 ["Junk; (y)", ["junk"]], ["'old'", ["trash"]]])

    @proves("thunderbird", "hostile")
    def test_hostile_names(self):
        """Names that look like commands, one account each: Thunderbird has them as they are, and nothing runs."""
        wanted = [{**self.account("tls", "tls"), "account.address": f"a{i}@acme.example", "account.real_name": v,
                   "account.organisation": v, "incoming.username": v, "outgoing.username": v if v.isascii() else f"a{i}"}
                  for i, v in enumerate(HOSTILE)]
        self.home.apply("thunderbird", sheet(*wanted))
        p, remote = self.remote(self.profile() / "prefs.js", OFFLINE)
        theirs = {a["account"]["address"]: a for a in remote.script(ACCOUNTS)}
        self.stop(p)
        for a in wanted:
            seen = theirs[a["account.address"]]
            self.assertEqual([seen["account"]["real_name"], seen["account"]["organisation"], seen["incoming"]["username"],
                              seen["outgoing"]["username"]],
                             [a[k] for k in ("account.real_name", "account.organisation", "incoming.username",
                                             "outgoing.username")])
        self.assertFalse(list(self.home.path.rglob("marker")))

    @proves("thunderbird", "smtp tls", "smtp starttls")
    def test_sending(self):
        for security in ("tls", "starttls"):
            a = self.account(security, security)
            a["outgoing.username"] = "alice@acme.example"
            self.home.apply("thunderbird", sheet(dict(a), create="always"))
            if security == "tls":
                self.provide("smtp://localhost", "imap://localhost")
            p, remote = self.remote(self.profile() / "prefs.js", ONLINE)
            done = remote.script(SEND, "Subject: hello\r\n\r\nhello\r\n", wait=True)
            self.stop(p)
            self.assertEqual(done[0], 0, done)
            self.assertIn(("submission", "alice@acme.example", int(a["outgoing.port"])),
                          self.server.logins("alice@acme.example", "submission"))


if __name__ == "__main__":
    unittest.main()
