"""The real servers that are always there: Dovecot in four tempers.

    main    every certificate, every kind of account; one address for each name
    old     TLS 1.0 and 1.1 and nothing newer
    twelve  TLS 1.2 and nothing newer; and one address with anonymous ciphers alone
    strict  waits after a wrong password and punishes the address, as Dovecot does out of the box
"""

import base64
import grp
import hashlib
import hmac
import json
import os
import pwd
import signal
import subprocess
import time

KEY = b"a key that only the zoo knows"
PASSWORD = "wonder land-42"
# name: fields of passwd-file behind the password
USERS = {
    "alice": "",
    "alice@zoo.test": "",
    "bob": "",
    "crowd": "",
    "gone": "::::::nologin=y reason=Account_was_closed",
    "homeless": "::::/dev/null::userdb_mail=maildir:/dev/null/no",
    "full": "::::::userdb_quota_rule=*:storage=20K",
    "hashed": None,
}

COMMON = """
base_dir = {dir}/run
state_dir = {dir}/state
log_path = {dir}/log
info_log_path = {dir}/log
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {login}
protocols = imap pop3 submission
listen = {listen}
import_environment = $import_environment OPENSSL_CONF={openssl}
first_valid_uid = 0
auth_verbose = yes
hostname = dovecot.zoo.test
mail_location = maildir:~/Maildir
mail_plugins = quota
ssl = yes
ssl_cert = <{pki}/good.crt
ssl_key = <{pki}/good.key
disable_plaintext_auth = yes
submission_relay_host = {relay[0]}
submission_relay_port = {relay[1]}
submission_relay_trusted = yes
plugin {{
  quota = maildir:User quota
}}
protocol imap {{
  mail_plugins = $mail_plugins imap_quota
}}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {dir}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={dir}/home/%u
}}
service auth {{
  unix_listener {dir}/auth {{
    mode = 0666
  }}
}}
service anvil {{
  chroot =
  {penalty}
}}
service stats {{
  chroot =
}}
service imap-login {{
  chroot =
  service_count = 0
  process_min_avail = 1
}}
service pop3-login {{
  chroot =
  service_count = 0
}}
service submission-login {{
  chroot =
  service_count = 0
  inet_listener submissions {{
    port = 465
    ssl = yes
  }}
}}
"""
PATIENT = """
auth_failure_delay = 0
mail_max_userip_connections = 1000
"""
NO_PENALTY = "unix_listener anvil-auth-penalty {\n    mode = 0\n  }"

MAIN = """
ssl_min_protocol = TLSv1.2
auth_mechanisms = plain login cram-md5 xoauth2 oauthbearer
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {dir}/oauth2.conf
}}
passdb {{
  driver = pam
  args = mm-%u
  username_filter = pam-*
}}
passdb {{
  driver = passwd-file
  args = {dir}/sealed/%u
  username_filter = broken
}}
local {clear} {{
  ssl = no
  disable_plaintext_auth = no
}}
local {lax} {{
  disable_plaintext_auth = no
  ssl_min_protocol = TLSv1
  ssl_cipher_list = ALL:@SECLEVEL=0
}}
local {crowd} {{
  mail_max_userip_connections = 1
}}
"""
PLAIN_MECHS = "auth_mechanisms = plain login\n"
OPENSSL = """openssl_conf = o
[o]
ssl_conf = s
[s]
system_default = d
[d]
MinProtocol = TLSv1
MaxProtocol = {highest}
CipherString = ALL:@SECLEVEL=0
"""


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(user, seconds=3600, key=KEY):
    """A JSON Web Token as an identity provider makes it, good for so long."""
    now = int(time.time())
    head = b64url(json.dumps({"typ": "JWT", "alg": "HS256", "kid": "default"}).encode())
    body = b64url(json.dumps({"sub": user, "iat": now - 7200, "nbf": now - 7200, "exp": now + seconds}).encode())
    return f"{head}.{body}." + b64url(hmac.new(key, f"{head}.{body}".encode(), hashlib.sha256).digest())


class Dovecot:
    def __init__(self, folder, name, pki, listen, relay, extra="", highest=None, patient=True):
        self.dir = os.path.join(folder, name)
        for sub in ("run", "state", "home"):
            os.makedirs(os.path.join(self.dir, sub))
        openssl = "/etc/ssl/openssl.cnf"
        if highest:
            openssl = self.write("openssl.cnf", OPENSSL.format(highest=highest))
        root = os.getuid() == 0
        me = pwd.getpwnam("nobody") if root else pwd.getpwuid(os.getuid())
        own, group = me.pw_name, grp.getgrgid(me.pw_gid).gr_name
        internal = ("dovecot", "dovecot", "dovenull") if root else (own, group, own)
        self.uid, self.gid = me.pw_uid, me.pw_gid
        os.chown(os.path.join(self.dir, "home"), self.uid, self.gid)
        self.write("users", "".join(f"{u}:{self.secret(u)}{more or ''}\n" for u, more in USERS.items()))
        self.write("oauth2.conf", "introspection_mode = local\nusername_attribute = sub\n"
                   f"local_validation_key_dict = fs:posix:prefix={self.dir}/keys/\n")
        self.write("keys/default/HS256/default", base64.b64encode(KEY).decode())
        os.chmod(self.write("sealed/broken", ""), 0)
        conf = COMMON.format(
            dir=self.dir, user=internal[0], group=internal[1], login=internal[2], uid=self.uid, gid=self.gid,
            listen=" ".join(listen), pki=pki.folder, relay=relay, openssl=openssl, penalty=NO_PENALTY if patient else "")
        conf = self.write("dovecot.conf", conf + (PATIENT if patient else "") + extra.replace("{dir}", self.dir))
        self.proc = subprocess.Popen(["/usr/sbin/dovecot", "-F", "-c", conf], stdout=subprocess.DEVNULL,
                                     stderr=subprocess.PIPE, start_new_session=True)

    @staticmethod
    def secret(user):
        if user != "hashed":
            return "{PLAIN}" + PASSWORD
        salt = b"01234567"
        return "{SSHA512}" + base64.b64encode(hashlib.sha512(PASSWORD.encode() + salt).digest() + salt).decode()

    def write(self, name, text):
        path = os.path.join(self.dir, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def deliver(self, user, octets):
        """A message in a mailbox."""
        where = os.path.join(self.dir, "home", user, "Maildir")
        os.makedirs(os.path.join(where, "new"), exist_ok=True)
        for sub in ("cur", "tmp"):
            os.makedirs(os.path.join(where, sub), exist_ok=True)
        name = f"1700000000.M1P1.zoo,S={octets}"
        with open(os.path.join(where, "new", name), "w", encoding="ascii") as f:
            head = "From: a@zoo.test\nSubject: big\n\n"
            f.write(head + "x" * (octets - len(head) - 1) + "\n")
        for folder, _, files in os.walk(os.path.join(self.dir, "home", user)):
            for entry in (folder, *(os.path.join(folder, f) for f in files)):
                os.chown(entry, self.uid, self.gid)

    def log(self):
        try:
            with open(os.path.join(self.dir, "log"), encoding="utf-8", errors="replace") as f:
                return f.read()
        except OSError:
            return ""

    def stop(self):
        if self.proc.poll() is None:
            os.killpg(self.proc.pid, signal.SIGTERM)
            try:
                self.proc.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self.proc.pid, signal.SIGKILL)
                self.proc.wait()
        self.proc.stderr.close()
