"""Exim, Courier and Cyrus, laid over /usr by sidebyside.py; each on an address of its own.

What a maintainer script would have set up is set up here, in as few lines as
each server can live with.
"""

import os
import shutil
import signal
import subprocess

from imapd import PASSWORD

PACKAGES = (["exim4-daemon-light"], ["courier-imap", "courier-pop", "courier-authlib-userdb"],
            ["cyrus-imapd", "cyrus-pop3d", "sasl2-bin"], ["postfix"])
USERS = ("Debian-exim", "courier", "cyrus", "postfix", "postdrop")
ADDRESS = {"exim": "127.0.1.150", "courier": "127.0.1.151", "cyrus": "127.0.1.152"}
NOBODY = 65534

EXIM = """
primary_hostname = exim.zoo.test
local_interfaces = {address}
daemon_smtp_ports = 25 : 465 : 587
tls_on_connect_ports = 465
tls_advertise_hosts = *
tls_certificate = {dir}/exim.crt
tls_privatekey = {dir}/exim.key
spool_directory = {dir}/exim
log_file_path = {dir}/exim/%slog
host_lookup =
rfc1413_query_timeout = 0s
acl_smtp_rcpt = check_rcpt
acl_smtp_mail = check_mail
domainlist ours = zoo.test
begin acl
check_mail:
  deny message = 5.7.1 not your address
       condition = ${{if eq{{$sender_address}}{{bob@zoo.test}}}}
  accept
check_rcpt:
  require message = relay not permitted
          domains = +ours
  accept authenticated = *
  deny message = authentication required
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and{{ {{eq{{$auth2}}{{alice}}}} {{eq{{$auth3}}{{{password}}}}} }}}}
  server_set_id = $auth2
  server_advertise_condition = ${{if def:tls_in_cipher}}
"""

CYRUS = """
configdirectory: {dir}/cyrus
partition-default: {dir}/cyrus/spool
defaultpartition: default
servername: cyrus.zoo.test
admins: cyrus
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: {dir}/cyrus/sasldb2
sasl_mech_list: PLAIN LOGIN CRAM-MD5 SCRAM-SHA-256
allowplaintext: no
autocreate_quota: 0
tls_server_cert: {dir}/exim.crt
tls_server_key: {dir}/exim.key
tls_versions: tls1_2 tls1_3
"""
CYRUS_SERVICES = """
START {{
  recover cmd="ctl_cyrusdb -r"
}}
SERVICES {{
  imap cmd="imapd" listen="{address}:143" prefork=0
  imaps cmd="imapd -s" listen="{address}:993" prefork=0
  pop3 cmd="pop3d" listen="{address}:110" prefork=0
  pop3s cmd="pop3d -s" listen="{address}:995" prefork=0
}}
"""


class Strangers:
    def __init__(self, z):
        self.z, self.dir, self.procs = z, z.sub("strangers"), []
        z.zone.update({f"{n}.zoo.test": [a] for n, a in ADDRESS.items()})
        z.zone["mobbed.zoo.test"] = [ADDRESS["courier"]]
        for ext in ("crt", "key"):
            shutil.copy(z.pki.path("good." + ext), self.path("exim." + ext))
            os.chmod(self.path("exim." + ext), 0o644)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run"], check=True)
        self.exim()
        self.courier()
        self.cyrus()

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, path, text):
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def folder(self, name, user=None):
        os.makedirs(self.path(name), exist_ok=True)
        if user:
            shutil.chown(self.path(name), user)
        return self.path(name)

    def start(self, *argv, **more):
        self.procs.append(subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                           stderr=subprocess.DEVNULL, start_new_session=True, **more))

    def exim(self):
        self.folder("exim", "Debian-exim")
        self.write("/etc/exim4/exim4.conf", EXIM.format(address=ADDRESS["exim"], dir=self.dir, password=PASSWORD))
        os.chmod("/etc/exim4/exim4.conf", 0o644)
        self.start("/usr/sbin/exim4", "-bdf")

    # -- Courier: a shell fragment of settings for each server, as its own start scripts read them
    def courier(self):
        where = "/usr/lib/courier"
        os.makedirs("/run/courier/authdaemon")
        home = self.folder("courier")
        for user in ("alice", "moved"):
            os.makedirs(f"{home}/{user}")
        for sub in ("cur", "new", "tmp"):
            os.makedirs(f"{home}/alice/Maildir/{sub}", exist_ok=True)
        subprocess.run(["chown", "-R", f"{NOBODY}:{NOBODY}", home], check=True)
        hashed = subprocess.run(["openssl", "passwd", "-6", "-stdin"], input=PASSWORD, text=True, check=True,
                                 capture_output=True).stdout.strip()
        fields = "\t{home}/{user}|uid=" + str(NOBODY) + "|gid=" + str(NOBODY) + "|home={home}/{user}|systempw=" + hashed
        self.write("/etc/courier/userdb", "".join(
            user + "\t" + fields.format(home=home, user=user).partition("|")[2] + "\n" for user in ("alice", "moved")))
        os.chmod("/etc/courier/userdb", 0o600)
        subprocess.run(["makeuserdb"], check=True, capture_output=True)
        with open(self.path("exim.key"), encoding="ascii") as key, open(self.path("exim.crt"), encoding="ascii") as crt:
            pem = self.write(self.path("courier.pem"), key.read() + crt.read())
        with open("/etc/courier/authdaemonrc", encoding="utf-8") as f:
            text = f.read().replace('authmodulelist="authpam"', 'authmodulelist="authuserdb"')
        self.write("/etc/courier/authdaemonrc", text)
        self.start("sh", "-c", f"set -a; . /etc/courier/authdaemonrc; exec {where}/courier-authlib/authdaemond")
        for name, login, daemon, port, tls in (
                ("imapd", "imaplogin", "/usr/bin/imapd", 143, 993),
                ("pop3d", "courierpop3login", f"{where}/courier/courierpop3d", 110, 995)):
            rc = (f"set -a; . /etc/courier/{name}; . /etc/courier/{name}-ssl; TLS_CERTFILE={pem}; TLS_TRUSTCERTS=; "
                  "TLS_STARTTLS_PROTOCOL=TLSv1.2+; TLS_CACHEFILE=; ")
            tcpd = f"exec couriertcpd -address={ADDRESS['courier']} -nodnslookup -noidentlookup -maxprocs=40 -maxperip=20 "
            program = f"{where}/courier/{login} {daemon} Maildir"
            starttls = "IMAP_STARTTLS=YES; POP3_STARTTLS=YES; COURIERTLS=/usr/bin/couriertls; "
            self.start("sh", "-c", rc + starttls + tcpd + f"{port} {program}")
            implicit = "IMAP_TLS=1; POP3_TLS=1; "
            self.start("sh", "-c", rc + implicit + tcpd + f"{tls} /usr/bin/couriertls -server -tcpd {program}")
            # one connection for each address, and one that is there already
            if name == "imapd":
                self.start("sh", "-c", rc + starttls + tcpd.replace("-maxperip=20", "-maxperip=1") + f"1143 {program}")

    def cyrus(self):
        for sub in ("", "/db", "/socket", "/proc", "/log", "/msg", "/ptclient", "/quota", "/user", "/lock", "/spool", "/sync",
                    "/backup", "/rpm", "/md5", "/sieve"):
            self.folder("cyrus" + sub, "cyrus")
        conf = self.write("/etc/imapd.conf", CYRUS.format(dir=self.dir))
        services = self.write("/etc/cyrus.conf", CYRUS_SERVICES.format(address=ADDRESS["cyrus"]))
        subprocess.run(["saslpasswd2", "-c", "-p", "-f", self.path("cyrus/sasldb2"), "-u", "cyrus.zoo.test", "alice"],
                       input=PASSWORD, text=True, check=True, capture_output=True)
        shutil.chown(self.path("cyrus/sasldb2"), "cyrus")
        self.start("/usr/lib/cyrus/bin/master", "-C", conf, "-M", services, "-p", self.path("cyrus/pid"))

    def stop(self):
        for p in self.procs:
            if p.poll() is None:
                os.killpg(p.pid, signal.SIGTERM)
        for p in self.procs:
            try:
                p.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(p.pid, signal.SIGKILL)
                p.wait()
