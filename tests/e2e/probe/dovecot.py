"""A real Dovecot (IMAP, POP3, submission) with a CA of its own, on loopback.

Runs as whoever starts it, in a temporary folder, on free ports. One instance
serves a whole suite: stopping takes seconds.
"""

import grp
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

SINK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib/smtpsink.py")
SERVICES = ("imap", "imaps", "pop3", "pop3s", "submission", "submissions")
PASSWORDS = {"alice": "wonder land-42", "bob": "builder's \"yes\" \\we", "carol": "Grüße-99", "homeless": "no-place-1"}


def free_ports(n):
    socks = []
    for _ in range(n):
        s = socket.socket()
        s.bind(("127.0.0.1", 0))
        socks.append(s)
    ports = [s.getsockname()[1] for s in socks]
    for s in socks:
        s.close()
    return ports


def run(*argv, cwd=None):
    subprocess.run(argv, cwd=cwd, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


class Pki:
    """A CA and certificates in a folder; every name is a file NAME.crt, NAME.key."""

    EC = ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
    LEAF = "basicConstraints = CA:false"
    CA = "basicConstraints = critical,CA:true"

    def __init__(self, folder):
        self.folder = folder
        self.root("ca", "Test CA")
        self.make()

    def make(self):
        self.root("other", "Unknown CA")
        self.leaf("good", "ca", "DNS:localhost,IP:127.0.0.1")
        self.leaf("wrongname", "ca", "DNS:mail.acme.example")
        self.leaf("unknown", "other", "DNS:localhost,IP:127.0.0.1")
        self.leaf("expired", "ca", "DNS:localhost", "20200101000000Z", "20210101000000Z")
        self.leaf("future", "ca", "DNS:localhost", "20990101000000Z", "20990201000000Z")
        self.root("selfsigned", "localhost")

    def path(self, name):
        return os.path.join(self.folder, name)

    @property
    def ca(self):
        return self.path("ca.crt")

    def key(self, name, spec=EC):
        run("openssl", "genpkey", *spec, "-out", self.path(name + ".key"))

    def root(self, name, cn, *more):
        self.key(name)
        run("openssl", "req", "-x509", "-new", "-key", self.path(name + ".key"), "-days", "30",
            "-subj", "/CN=" + cn, "-out", self.path(name + ".crt"), *more)

    def leaf(self, name, issuer, san, start=None, end=None, cn=None, key=EC, digest="sha256", constraints=LEAF):
        """A certificate by `issuer`; from `start` until `end` (YYYYMMDDHHMMSSZ), or 30 days."""
        self.key(name, key)
        run("openssl", "req", "-new", "-key", self.path(name + ".key"), "-subj", "/CN=" + (cn or name),
            "-out", self.path(name + ".csr"))
        conf = self.path(name + ".cnf")
        with open(conf, "w", encoding="ascii") as f:
            f.write(f"""[ca]
default_ca = d
[d]
database = {self.path(name + ".db")}
new_certs_dir = {self.folder}
rand_serial = yes
default_md = {digest}
policy = p
x509_extensions = x
[p]
commonName = supplied
[x]
{"subjectAltName = " + san if san else ""}
{constraints}
""")
        open(self.path(name + ".db"), "w", encoding="ascii").close()
        dates = ["-startdate", start, "-enddate", end] if start else ["-days", "30"]
        run("openssl", "ca", "-batch", "-config", conf, "-in", self.path(name + ".csr"), "-notext",
            "-out", self.path(name + ".crt"), "-cert", self.path(issuer + ".crt"),
            "-keyfile", self.path(issuer + ".key"), *dates)


CONF = """
base_dir = {dir}/run
state_dir = {dir}/state
log_path = {dir}/log
info_log_path = {dir}/log
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {login}
protocols = imap pop3 submission
listen = 127.0.0.1 127.0.0.2
first_valid_uid = 0
auth_verbose = yes
auth_failure_delay = 0
disable_plaintext_auth = yes
mail_max_userip_connections = 1000
auth_mechanisms = plain login
hostname = localhost
login_log_format_elements = user=<%u> method=%m rip=%r lport=%a %k
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {dir}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={dir}/home/%u
}}
mail_location = maildir:~/Maildir
ssl = yes
ssl_cert = <{cert}.crt
ssl_key = <{cert}.key
ssl_min_protocol = TLSv1.2
submission_relay_host = 127.0.0.1
submission_relay_port = {sink}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
service imap-login {{
  chroot =
  process_limit = 300
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service pop3-login {{
  chroot =
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = {pop3s}
    ssl = yes
  }}
}}
service submission-login {{
  chroot =
  inet_listener submission {{
    port = {submission}
  }}
  inet_listener submissions {{
    port = {submissions}
    ssl = yes
  }}
}}
local 127.0.0.2 {{
  ssl = no
  disable_plaintext_auth = no
}}
"""


class Dovecot:
    """Started by the constructor; stop() ends it and removes its folder."""

    more_settings = ""  # of a subclass; with {dir}

    def __init__(self, pki=None, cert="good", relay=False):
        """With `relay`, something takes what submission hands on; without, it hangs up after the login."""
        self.relay, self.sink = relay, None
        self.dir = tempfile.mkdtemp(prefix="mmdc")
        os.chmod(self.dir, 0o755)
        self.pki = pki or Pki(self._sub("pki"))
        self.cert = self.pki.path(cert)
        for name in ("run", "state", "home"):
            self._sub(name)
        self.set_users(PASSWORDS)
        for _ in range(5):
            if self._start():
                return
        raise RuntimeError("dovecot does not start: " + self.log())

    def _sub(self, name):
        path = os.path.join(self.dir, name)
        os.makedirs(path, exist_ok=True)
        return path

    def set_users(self, passwords):
        with open(os.path.join(self.dir, "users"), "w", encoding="utf-8") as f:
            for user, password in passwords.items():
                extra = ""
                if user == "homeless":
                    extra = f"::::{self.dir}/users/not-a-folder::userdb_mail=maildir:{self.dir}/users/not-a-folder"
                f.write(f"{user}:{{PLAIN}}{password}{extra}\n")

    def _start(self):
        *ports, sink = free_ports(len(SERVICES) + 1)
        self.ports = dict(zip(SERVICES, ports))
        # root's Dovecot wants its own users; anybody else's runs as that one
        root = os.getuid() == 0
        me = pwd.getpwnam("nobody") if root else pwd.getpwuid(os.getuid())
        own = me.pw_name
        internal = ("dovecot", "dovecot", "dovenull") if root else (own, grp.getgrgid(me.pw_gid).gr_name, own)
        os.chown(os.path.join(self.dir, "home"), me.pw_uid, me.pw_gid)
        conf = os.path.join(self.dir, "dovecot.conf")
        with open(conf, "w", encoding="ascii") as f:
            f.write((CONF + self.more_settings).format(dir=self.dir, user=internal[0], group=internal[1], login=internal[2],
                                uid=me.pw_uid, gid=me.pw_gid, cert=self.cert, sink=sink, **self.ports))
        if self.sink:
            self.sink.kill()
            self.sink.wait()
        if self.relay:
            self.sink = subprocess.Popen([sys.executable, SINK, str(sink), os.path.join(self.dir, "sink.log")],
                                         stdin=subprocess.DEVNULL, start_new_session=True)
        self.proc = subprocess.Popen(["/usr/sbin/dovecot", "-F", "-c", conf], stdout=subprocess.DEVNULL,
                                     stderr=subprocess.DEVNULL, start_new_session=True)
        for _ in range(200):
            if self.proc.poll() is not None:
                return False
            try:
                with socket.create_connection(("127.0.0.1", self.ports["submission"]), timeout=2) as s:
                    if s.recv(3) == b"220":
                        return True
            except OSError:
                pass
            time.sleep(0.05)
        raise RuntimeError("dovecot does not answer: " + self.log())

    def log(self):
        try:
            with open(os.path.join(self.dir, "log"), encoding="utf-8", errors="replace") as f:
                return f.read()
        except OSError:
            return ""

    def stop(self):
        if self.sink:
            self.sink.terminate()
            self.sink.wait()
        if self.proc.poll() is None:
            os.killpg(self.proc.pid, signal.SIGTERM)
            try:
                self.proc.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self.proc.pid, signal.SIGKILL)
                self.proc.wait()
        shutil.rmtree(self.dir, ignore_errors=True)
