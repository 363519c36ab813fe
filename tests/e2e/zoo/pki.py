"""The certificates of the zoo: one for each way to be wrong."""

import datetime
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "probe"))

import dovecot  # noqa: E402

ZONE = "zoo.test"
# names that the good certificate holds besides its own
SHARED = ("clear", "lax", "crowd", "old", "twelve", "adh", "strict")
RSA_1024 = ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024")
RSA_2048 = ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")


def stamp(days):
    t = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)
    return t.strftime("%Y%m%d%H%M%SZ")


class ZooPki(dovecot.Pki):
    """Every certificate is for NAME.zoo.test, unless that is what is wrong with it."""

    def make(self):
        until = (stamp(-1), stamp(400))
        self.root("other", "Unknown CA")
        self.server("good", "ca", *until, extra=",DNS:*.wild.zoo.test" + "".join(f",DNS:{n}.{ZONE}" for n in
                                                                                            (*SHARED, "postfix", "exim", "courier", "cyrus")))
        self.server("rsa", "ca", *until, key=RSA_2048)
        self.server("expired", "ca", "20200101000000Z", "20210101000000Z")
        self.server("future", "ca", "20990101000000Z", "20990201000000Z")
        self.server("ninedays", "ca", stamp(-1), stamp(9.5))
        self.server("unknown", "other", *until)
        self.server("sha1", "ca", *until, digest="sha1")
        self.server("rsa1024", "ca", *until, key=RSA_1024)
        self.leaf("wrongname", "ca", "DNS:mail.elsewhere.test", *until, cn="mail.elsewhere.test")
        self.leaf("cnonly", "ca", None, *until, cn="cnonly." + ZONE)
        self.root("selfsigned", "selfsigned." + ZONE, "-addext", "subjectAltName=DNS:selfsigned." + ZONE)
        self.leaf("middle", "ca", None, *until, cn="Middle CA", constraints=self.CA)
        self.server("nochain", "middle", *until, constraints=self.LEAF +
                    "\nauthorityInfoAccess = caIssuers;URI:http://ca.zoo.test/middle.crt")
        self.server("chain", "middle", *until)
        with open(self.path("chain.crt"), "a", encoding="ascii") as f, \
                open(self.path("middle.crt"), encoding="ascii") as middle:
            f.write(middle.read())
        self.leaf("clientonly", "ca", f"DNS:clientonly.{ZONE}", *until,
                  constraints=self.LEAF + "\nextendedKeyUsage = clientAuth")
        self.leaf("device", "ca", None, *until, cn="alice", constraints=self.LEAF + "\nextendedKeyUsage = clientAuth")
        # an antivirus program's own CA, and what it makes for whoever is asked for
        self.root("shield", "Avast Web\\/Mail Shield Root")
        self.leaf("shielded", "shield", "DNS:*.wild.zoo.test", *until, cn="here.wild.zoo.test")
        self.leaf("gateway", "shield", "DNS:gateway.avast.example", *until, cn="gateway.avast.example")
        # a root of old: nobody relies on its own signature
        self.root("oldroot", "Old CA", "-sha1")
        self.server("oldroot-leaf", "oldroot", *until)
        with open(self.path("oldroot-leaf.crt"), "a", encoding="ascii") as f, \
                open(self.path("oldroot.crt"), encoding="ascii") as root:
            f.write(root.read())

    def server(self, name, issuer, *dates, extra="", **more):
        host = f"{name}.{ZONE}"
        self.leaf(name, issuer, f"DNS:{host}{extra}", *dates, cn=host, **more)
