"""A Dovecot that takes every kind of login, and the things that one logs in with.

Tokens are JSON Web Tokens, checked by Dovecot itself; client certificates come from the suite's CA;
tickets from an MIT KDC on a free port, which needs root because the Kerberos library reads /etc/krb5.conf
and no other place once the probe is in its sandbox.
"""

import base64
import hashlib
import hmac
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "lib"))

import agentlib  # noqa: E402
from dovecot import Dovecot, free_ports, run  # noqa: E402

REALM = "ACME.TEST"
KEY = b"a key of the token service, 32 bytes"
SETTINGS = """
auth_mechanisms = plain login cram-md5 xoauth2 oauthbearer external {{GSSAPI}}
auth_gssapi_hostname = "$ALL"
auth_krb5_keytab = {dir}/keytab
auth_ssl_username_from_cert = yes
ssl_ca = <{dir}/client-ca.crt
ssl_verify_client_cert = yes
ssl_require_crl = no
ssl_cert_username_field = commonName
import_environment = TZ CORE_OUTOFMEM CORE_ERROR KRB5_CONFIG KRB5RCACHENAME
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {dir}/oauth2.conf
}}
passdb {{
  driver = static
  mechanisms = external
  args = nopassword=y
}}
"""


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def token(user="alice", lifetime=600, key=KEY):
    """A signed token (RFC 7519) for `user`; a negative lifetime: it has expired."""
    now = int(time.time())
    body = b".".join(b64url(json.dumps(x).encode()) for x in (
        {"alg": "HS256", "typ": "JWT"}, {"sub": user, "iat": now - 900, "nbf": now - 900, "exp": now + lifetime}))
    return body + b"." + b64url(hmac.new(key, body, hashlib.sha256).digest())


def client_certificate(pki, name, cn, issuer="ca", days="30", issuer_in_it=True):
    """NAME.pem: certificate, its issuer, key."""
    pki.key(name)
    run("openssl", "req", "-new", "-key", pki.path(name + ".key"), "-subj", "/CN=" + cn, "-out", pki.path(name + ".csr"))
    run("openssl", "x509", "-req", "-in", pki.path(name + ".csr"), "-CA", pki.path(issuer + ".crt"),
        "-CAkey", pki.path(issuer + ".key"), "-CAcreateserial", "-days", days, "-out", pki.path(name + ".crt"))
    parts = [name + ".crt"] + ([issuer + ".crt"] if issuer_in_it else []) + [name + ".key"]
    return b"".join(pathlib.Path(pki.path(p)).read_bytes() for p in parts)


class AuthDovecot(Dovecot):
    def __init__(self, kdc=None):
        self.kdc = kdc
        self.more_settings = SETTINGS.replace("{{GSSAPI}}", "gssapi" if kdc else "")
        super().__init__(relay=True)

    def set_users(self, passwords):
        super().set_users(passwords)
        here = pathlib.Path(self.dir)
        (here / "client-ca.crt").write_bytes(pathlib.Path(self.pki.ca).read_bytes())
        key = here / "keys/default/HS256/default"
        key.parent.mkdir(parents=True)
        key.write_bytes(base64.b64encode(KEY))
        (here / "oauth2.conf").write_text("introspection_mode = local\nusername_attribute = sub\n"
                                          f"local_validation_key_dict = fs:posix:prefix={here}/keys/\n")
        if self.kdc:
            (here / "keytab").write_bytes((self.kdc.dir / "keytab").read_bytes())
            os.chmod(here / "keytab", 0o644)


class Kdc:
    """An MIT Kerberos KDC of one's own, and /etc/krb5.conf of this mount namespace."""

    def __init__(self):
        self.dir = agentlib.scratch()
        self.port = free_ports(1)[0]
        self.env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "KRB5_CONFIG": str(self.dir / "krb5.conf"),
                    "KRB5_KDC_PROFILE": str(self.dir / "kdc.conf")}
        (self.dir / "krb5.conf").write_text(f"""[libdefaults]
default_realm = {REALM}
dns_lookup_kdc = false
dns_lookup_realm = false
dns_canonicalize_hostname = false
rdns = false
[realms]
{REALM} = {{
  kdc = 127.0.0.1:{self.port}
}}
[domain_realm]
localhost = {REALM}
""")
        (self.dir / "kdc.conf").write_text(f"""[kdcdefaults]
kdc_listen = 127.0.0.1:{self.port}
kdc_tcp_listen = 127.0.0.1:{self.port}
[realms]
{REALM} = {{
  database_name = {self.dir}/db
  key_stash_file = {self.dir}/stash
  acl_file = {self.dir}/acl
}}
[logging]
kdc = FILE:{self.dir}/log
""")
        self.call("kdb5_util", "create", "-s", "-r", REALM, "-P", "of the master")
        for name in ("imap", "pop", "smtp"):
            self.admin(f"addprinc -randkey {name}/localhost")
            self.admin(f"ktadd -k {self.dir}/keytab {name}/localhost")
        for user in ("alice", "bob"):
            self.admin(f"addprinc -pw {user}-ticket {user}")
        self.start()
        agentlib._check(agentlib._libc.unshare(agentlib._CLONE_NEWNS))
        agentlib.mount("none", "/", None, agentlib._MS_REC | agentlib._MS_PRIVATE)
        agentlib.mount(self.dir / "krb5.conf", "/etc/krb5.conf", None, agentlib._MS_BIND)

    def start(self):
        self.proc = subprocess.Popen(["krb5kdc", "-n"], env=self.env, stdout=subprocess.DEVNULL,
                                     stderr=subprocess.DEVNULL)
        if not agentlib.wait_until(self.answers, 10):
            raise RuntimeError("the KDC does not start")

    def end(self):
        agentlib.end_process(self.proc)

    def pause(self):
        """The KDC says nothing from here on; connections to it still come about."""
        self.proc.send_signal(signal.SIGSTOP)
        if not agentlib.wait_until(lambda: self.state() == "T", 10):
            raise RuntimeError("the KDC does not stop")

    def resume(self):
        self.proc.send_signal(signal.SIGCONT)

    def state(self):
        return pathlib.Path(f"/proc/{self.proc.pid}/stat").read_text().rpartition(")")[2].split()[0]

    def log(self):
        return (self.dir / "log").read_text()

    def call(self, *argv, data=b""):
        p = subprocess.run(argv, env=self.env, input=data, capture_output=True, check=False, timeout=60)
        assert p.returncode == 0, (argv, p.stdout, p.stderr)

    def admin(self, query):
        self.call("kadmin.local", "-r", REALM, "-q", query)

    def answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            return True
        except OSError:
            return False

    def ticket(self, user, *options, name=None):
        """A fresh ticket cache of this user's; its path."""
        path = self.dir / ("cc-" + (name or user))
        self.call("kinit", "-c", f"FILE:{path}", *options, user, data=f"{user}-ticket\n".encode())
        return str(path)

    def stop(self):
        self.end()
        agentlib.umount("/etc/krb5.conf")
        agentlib.remove(self.dir)
