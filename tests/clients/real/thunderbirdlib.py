"""Thunderbird, headless, in a scratch home, on a profile that the adapter wrote.

Certificate and password are put into the profile with NSS, as a user would do by hand; nothing of ours
does that.
"""

import json
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

from realclient import ClientCase, MailServer, have, sheet, wait_for

PASSWORD = "Gehe1m und lang"

# Encrypts with the profile's own key database, through NSS.
ENCRYPT = """
import base64, ctypes, sys
class Item(ctypes.Structure):
    _fields_ = [("type", ctypes.c_uint), ("data", ctypes.c_void_p), ("len", ctypes.c_uint)]
nss = ctypes.CDLL("libnss3.so")
nss.PK11_GetInternalKeySlot.restype = ctypes.c_void_p
nss.PK11_Authenticate.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p]
assert nss.NSS_InitReadWrite(("sql:" + sys.argv[1]).encode()) == 0
slot = nss.PK11_GetInternalKeySlot()
assert nss.PK11_Authenticate(slot, 1, None) == 0
for text in sys.argv[2:]:
    data = text.encode()
    buf = ctypes.create_string_buffer(data, len(data))
    plain, key, out = Item(0, ctypes.addressof(buf), len(data)), Item(0, None, 0), Item(0, None, 0)
    assert nss.PK11SDR_Encrypt(ctypes.byref(key), ctypes.byref(plain), ctypes.byref(out), None) == 0
    print(base64.b64encode(ctypes.string_at(out.data, out.len)).decode())
nss.NSS_Shutdown()
"""

# Quiet start: no first-run pages, nothing that phones home.
TEST_PREFS = """
user_pref("mailnews.start_page.enabled", false);
user_pref("mail.rights.version", 1);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("app.update.enabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
"""


@have("thunderbird", "certutil", "dovecot")
class ThunderbirdCase(ClientCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = pathlib.Path(tempfile.mkdtemp(prefix="mmreal"))
        cls.dir.chmod(0o755)
        cls.server = MailServer(cls.dir / "srv", {"alice@acme.example": PASSWORD, "alice": PASSWORD}).start()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        shutil.rmtree(cls.dir, ignore_errors=True)

    def account(self, incoming, outgoing, protocol="imap"):
        port = self.server.ports
        a = {"account.address": "alice@acme.example", "account.real_name": "Zoë \"`id`\" O'Hara",
             "incoming.protocol": protocol, "incoming.host": "localhost", "incoming.auth": "password",
             "incoming.security": incoming, "incoming.username": "alice@acme.example",
             "incoming.port": str(port[protocol + "s" if incoming == "tls" else protocol]),
             "incoming.tls_min": "1.2", "outgoing.protocol": "smtp", "outgoing.host": "localhost",
             "outgoing.auth": "password", "outgoing.username": "alice", "outgoing.security": outgoing,
             "outgoing.port": str(port["submissions" if outgoing == "tls" else "submission"])}
        if protocol == "pop3":
            a["incoming.leave_on_server"] = "yes"
        return a

    def profile(self):
        return next((self.home.path / ".thunderbird").glob("*/prefs.js")).parent

    def provide(self, *origins):
        """What the user gives by hand: trust in the authority, and the password."""
        db = f"sql:{self.profile()}"
        for args in (["-N", "-d", db, "--empty-password"],
                     ["-A", "-d", db, "-n", "test", "-t", "C,,", "-i", self.server.ca.cert]):
            subprocess.run(["certutil", *map(str, args)], check=True, capture_output=True)
        user, password = subprocess.run(
            [sys.executable, "-c", ENCRYPT, self.profile(), "alice@acme.example", PASSWORD],
            check=True, capture_output=True, text=True).stdout.split()
        logins = [{"id": i, "hostname": origin, "httpRealm": origin, "formSubmitURL": None, "usernameField": "",
                   "passwordField": "", "encryptedUsername": user, "encryptedPassword": password, "encType": 1,
                   "guid": "{6f5bd1a0-0b0f-4e0f-8a55-%012d}" % i, "timeCreated": 1, "timeLastUsed": 1,
                   "timePasswordChanged": 1, "timesUsed": 1} for i, origin in enumerate(origins, 1)]
        (self.profile() / "logins.json").write_text(
            json.dumps({"nextId": len(logins) + 1, "version": 3, "logins": logins}))

    def start(self, *options):
        p = subprocess.Popen(["thunderbird", "--headless", *options], stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
                             env=self.home.env(DBUS_SESSION_BUS_ADDRESS="disabled:", MOZ_LEGACY_HOME="1"))
        self.addCleanup(self.stop, p)
        return p

    @staticmethod
    def stop(p):
        if p.poll() is None:
            p.send_signal(signal.SIGTERM)
            try:
                p.wait(10)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()

    def logs_in(self, service, port):
        """Start; the server sees a new login of this service on this port."""
        def count():
            return sum(1 for s, u, p in self.server.logins("alice@acme.example", service) if p == port)
        before = count()
        p = self.start()
        wait_for(f"a login at {service} port {port}", lambda: count() > before, 60)
        return p

    def provision(self, account, origin):
        self.home.apply("thunderbird", sheet(dict(account)))
        prefs = self.profile() / "prefs.js"
        prefs.write_text(prefs.read_text() + TEST_PREFS)
        self.provide(origin)

    def assert_as_wanted(self, account):
        seen = next(iter(self.home.seen("thunderbird").values()))
        for setting, value in account.items():
            self.assertEqual(seen.get(setting), value, setting)
