"""A whole mail system on loopback: Postfix takes mail, Dovecot delivers and shows it.

Both run in temporary folders with ports of their own. Postfix asks Dovecot
who may log in, and hands mail over by LMTP, through a little proxy where a
test wants it late, or something to happen first.
"""

import imaplib
import os
import pathlib
import socket
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "lib"))

import postfix  # noqa: E402
from dovecot import PASSWORDS, Dovecot  # noqa: E402

DOMAIN = "acme.example"
QUOTA_KIB = 300


class Delivery(Dovecot):
    """Dovecot with an auth socket, LMTP, quota, special-use folders, and Sieve for junk."""

    more_settings = """
auth_username_format = %Ln
protocols = imap pop3 submission lmtp
mail_plugins = quota
quota_full_tempfail = no
lmtp_save_to_detail_mailbox = no
submission_max_mail_size = 1M
service auth {{
  unix_listener {dir}/auth {{
    mode = 0666
  }}
}}
service lmtp {{
  chroot =
  unix_listener {dir}/lmtp {{
    mode = 0666
  }}
}}
protocol imap {{
  mail_plugins = quota imap_quota
}}
protocol lmtp {{
  mail_plugins = quota sieve
  postmaster_address = postmaster@acme.example
}}
plugin {{
  quota = count:User quota
  quota_vsizes = yes
  quota_rule = *:storage=%QUOTA%K
  quota_grace = 0
  sieve_before = {dir}/sieve
}}
namespace inbox {{
  inbox = yes
  mailbox Spam {{
    auto = create
    special_use = \\Junk
  }}
  mailbox Sent {{
    auto = create
    special_use = \\Sent
  }}
}}
""".replace("%QUOTA%", str(QUOTA_KIB))

    def _start(self):
        folder = self._sub("sieve")
        with open(os.path.join(folder, "junk.sieve"), "w", encoding="ascii") as f:
            f.write('require ["fileinto"];\nif header :contains "X-Spam" "yes" {\n  fileinto "Spam";\n}\n')
        os.chmod(folder, 0o777)  # where the compiled script goes
        return super()._start()

    @property
    def auth(self):
        return os.path.join(self.dir, "auth")

    @property
    def lmtp(self):
        return os.path.join(self.dir, "lmtp")

    def imap(self, user):
        """A connection of the user's own mail program."""
        c = imaplib.IMAP4("127.0.0.2", self.ports["imap"])
        c.login(user, PASSWORDS[user])
        return c

    def mail(self, user, folder="INBOX"):
        """All messages of a folder, as they are."""
        with self.imap(user) as c:
            if c.select(folder, readonly=True)[0] != "OK":
                return []
            found = c.uid("SEARCH", "ALL")[1][0].split()
            return [c.uid("FETCH", u, "(BODY.PEEK[])")[1][0][1].decode("utf-8", "replace") for u in found]

    def put(self, user, message, folder="INBOX", flags=None):
        with self.imap(user) as c:
            ok, data = c.append(folder, flags, None, message.replace("\n", "\r\n").encode())
            if ok != "OK":
                raise RuntimeError(f"{folder}: {data}")

    def empty(self, user):
        with self.imap(user) as c:
            for folder in ("INBOX", "Spam", "Sent"):
                c.select(folder)
                c.uid("STORE", "1:*", "+FLAGS.SILENT", "(\\Deleted)")
                c.expunge()

    def files(self, user):
        """The message files of the user's INBOX and folders."""
        box = pathlib.Path(self.dir) / "home" / user / "Maildir"
        return [p for d in ("new", "cur") for p in box.rglob(d + "/*") if p.is_file()]


class LmtpProxy:
    """Between Postfix and Dovecot's LMTP: `before(sender)` is called before each message goes on."""

    def __init__(self, path, before=None):
        self.path = path
        self.before = before
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def address(self):
        return f"inet:127.0.0.1:{self.port}"

    def _serve(self):
        while True:
            try:
                conn, _ = self.sock.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(conn,), daemon=True).start()

    def _one(self, conn):
        with conn, socket.socket(socket.AF_UNIX) as up:
            up.connect(self.path)
            back = threading.Thread(target=self._pump, args=(up, conn, False), daemon=True)
            back.start()
            self._pump(conn, up, True)
            back.join()

    def _pump(self, source, target, watch):
        try:
            while True:
                data = source.recv(65536)
                if not data:
                    break
                if watch and self.before and b"MAIL FROM:<" in data:
                    self.before(data.split(b"MAIL FROM:<")[1].split(b">")[0].decode())
                target.sendall(data)
        except OSError:
            pass
        finally:
            for s in (source, target):
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def close(self):
        self.sock.close()


class MailSystem:
    """`before`: see LmtpProxy, may be changed at any time. `services`: more smtpds, see postfix.py."""

    SERVICES = {
        "submissions": {"smtpd_tls_wrappermode": "yes"},
        "submission": {},
        "plain": {"smtpd_tls_security_level": "none", "smtpd_tls_auth_only": "no"},
    }

    def __init__(self, pki=None, services=None, main=None):
        self.dovecot = Delivery(pki)
        self.pki = self.dovecot.pki
        self.before = None
        self.proxy = LmtpProxy(self.dovecot.lmtp, lambda sender: self.before and self.before(sender))
        self.domain = DOMAIN
        owners = {f"{u}@{DOMAIN}": u for u in PASSWORDS}
        boxes = list(owners)
        # addresses that belong to alice and have no mailbox here
        owners.update({f"gone@{DOMAIN}": "alice", "alice@elsewhere.example": "alice"})
        self.postfix = postfix.Postfix(
            os.path.join(self.dovecot.dir, "postfix"), self.pki.path("good.crt"), self.pki.path("good.key"),
            services={**self.SERVICES, **(services or {})}, auth=self.dovecot.auth, lmtp=self.proxy.address,
            domains=[DOMAIN], mailboxes=boxes, owners=owners, main=main)
        try:
            self.postfix.start()
        except BaseException:
            self.stop()
            raise

    def port(self, name):
        return self.postfix.ports.get(name) or self.dovecot.ports[name]

    def log(self):
        return self.postfix.log() + self.dovecot.log()

    def wait_log(self, text, seconds=20):
        end = time.monotonic() + seconds
        while text not in self.postfix.log():
            if time.monotonic() > end:
                raise TimeoutError(text)
            time.sleep(0.02)

    def stop(self):
        self.postfix.stop()
        self.proxy.close()
        self.dovecot.stop()
