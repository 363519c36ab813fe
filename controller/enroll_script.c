#include "controller/enroll_script.h"

#include <string.h>

#include "common/digest.h"
#include "common/text.h"

void mm_sh_quote(const char *s, struct mm_buf *out)
{
	mm_buf_addc(out, '\'');
	for (; *s != '\0'; s++)
		if (*s == '\'')
			mm_buf_adds(out, "'\\''");
		else
			mm_buf_addc(out, *s);
	mm_buf_addc(out, '\'');
}

/* ---- agent.conf */

/* A libconfig string: backslash, quote and line ends are escaped. */
static void conf_string(const char *s, struct mm_buf *out)
{
	mm_buf_addc(out, '"');
	for (; *s != '\0'; s++)
		if (*s == '\n')
			mm_buf_adds(out, "\\n");
		else if (*s == '"' || *s == '\\')
			mm_buf_addf(out, "\\%c", *s);
		else
			mm_buf_addc(out, *s);
	mm_buf_addc(out, '"');
}

static void conf_list(const char *name, const char *const *items, struct mm_buf *out)
{
	mm_buf_addf(out, "  %s = [ ", name);
	for (size_t i = 0; items[i] != NULL; i++) {
		if (i > 0)
			mm_buf_adds(out, ", ");
		conf_string(items[i], out);
	}
	mm_buf_adds(out, " ];\n");
}

void mm_enroll_conf(const struct mm_enrolment *e, struct mm_buf *out)
{
	mm_buf_adds(out,
	    "# What a controller may do on this host. Written by \"mailmuster host enroll\";\n"
	    "# tighten the limits as you like: the agent obeys this file, not the controller.\n");
	mm_buf_adds(out, "host = ");
	conf_string(e->host, out);
	mm_buf_adds(out, ";\nkeys = [ ");
	conf_string(e->signing_key, out);
	mm_buf_adds(out, " ];\nlimits = {\n");
	conf_list("domains", e->domains, out);
	conf_list("password_programs", e->programs, out);
	if (e->clients != NULL)
		conf_list("clients", e->clients, out);
	mm_buf_adds(out, "};\n");
	if (e->checkin != NULL)
		mm_enroll_checkin_conf(e->checkin, e->config, out);
}

/* ---- the script */

/* NAME='value' */
static void variable(const char *name, const char *value, struct mm_buf *out)
{
	mm_buf_addf(out, "%s=", name);
	mm_sh_quote(value, out);
	mm_buf_addc(out, '\n');
}

/* command <<'MARK' ... MARK, the data in base64: no data can end it early. */
static void document(const char *command, const void *p, size_t n, struct mm_buf *out)
{
	struct mm_buf b64 = MM_BUF_INIT(2 * n + 16);
	mm_base64(p, n, &b64);
	mm_buf_addf(out, "%s <<'MM-END'\n", command);
	for (size_t i = 0; i < b64.len; i += 76) {
		mm_buf_add(out, b64.data + i, b64.len - i < 76 ? b64.len - i : 76);
		mm_buf_addc(out, '\n');
	}
	mm_buf_adds(out, "MM-END\n");
	mm_buf_free(&b64);
}

static const char begin[] = "set -eu\n"
			    "umask 022\n"
			    "tmp=$(mktemp -d)\n"
			    "trap 'rm -rf \"$tmp\"' EXIT\n"
			    "say() { printf 'mm:%s\\n' \"$*\"; }\n"
			    "fail() { printf '%s\\n' \"$2\" >&2; exit \"$1\"; }\n"
			    /* put FILE MODE: standard input becomes the file, unless it is that already. */
			    "put() {\n"
			    "  cat >\"$tmp/new\"\n"
			    "  if cmp -s \"$tmp/new\" \"$1\"; then put=kept; return; fi\n"
			    "  t=$(mktemp \"$1.XXXXXX\")\n"
			    "  cat \"$tmp/new\" >\"$t\"; chmod \"$2\" \"$t\"; sync \"$t\" 2>/dev/null || :; "
			    "mv -f \"$t\" \"$1\"; put=written\n"
			    "}\n";

static const char install[] =
    "if command -v dpkg >/dev/null 2>&1; then\n"
    "  want=$(dpkg-deb -f \"$tmp/agent.deb\" Version)\n"
    "  pkg=$(dpkg-deb -f \"$tmp/agent.deb\" Package)\n"
    "  have=$(dpkg-query -W -f '${db:Status-Abbrev}${Version}' \"$pkg\" 2>/dev/null || :)\n"
    "  if [ \"$have\" != \"ii $want\" ]; then\n"
    "    export DEBIAN_FRONTEND=noninteractive\n"
    "    dpkg -i \"$tmp/agent.deb\" >\"$tmp/log\" 2>&1 </dev/null ||\n"
    "      apt-get -y -q -f install >>\"$tmp/log\" 2>&1 </dev/null ||\n"
    "      { tail -n 5 \"$tmp/log\" >&2; fail 1 \"the package cannot be installed\"; }\n"
    "    say installed \"$want\"\n"
    "  fi\n"
    "else\n"
    "  fail 1 \"there is no dpkg on this host: install the agent by other means\"\n"
    "fi\n";

static const char configure[] =
    "[ -x \"$agent\" ] || fail 90 \"$agent is not there; host enroll --install FILE.deb puts it there\"\n"
    "say agent \"$(\"$agent\" --version 2>/dev/null | head -n 1 | tr -cd 'A-Za-z0-9 .+~-')\"\n"
    "old=$(sed -n 's/^host = \"\\([^\"]*\\)\";$/\\1/p' \"$config\" 2>/dev/null || :)\n"
    "if [ -n \"$old\" ] && [ \"$old\" != \"$host\" ] && [ \"$force\" = no ]; then\n"
    "  fail 91 \"this host is enrolled as $old already; --force makes it $host\"\n"
    "fi\n"
    "mkdir -p \"$(dirname \"$config\")\"\n"
    /* A check-in that is set up stays when this enrolment says nothing about it. */
    "grep -q '^checkin = ' \"$tmp/conf\" || [ ! -f \"$config\" ] ||\n"
    "  sed -n '/^checkin = {.*};$/p' \"$config\" >>\"$tmp/conf\"\n"
    "put \"$config\" 644 <\"$tmp/conf\"\n"
    "say conf \"$put\"\n"
    "\"$agent\" key --config \"$config\" >\"$tmp/key\" </dev/null\n"
    "say key \"$(base64 -w 0 \"$tmp/key\")\"\n";

static const char checkin[] =
    "[ -x /usr/bin/ssh ] || fail 1 \"there is no ssh on this host, which the check-in needs\"\n"
    "if [ ! -f \"$id\" ] || [ ! -f \"$id.pub\" ]; then\n"
    "  rm -f \"$id\" \"$id.pub\"\n"
    "  ssh-keygen -q -t ed25519 -N '' -C \"mailmuster-agent@$host\" -f \"$id\" </dev/null\n"
    "fi\n"
    "put \"$(dirname \"$config\")/known_hosts\" 644 <\"$tmp/known\"\n"
    "if [ -d /run/systemd/system ] && systemctl cat mailmuster-checkin.timer >/dev/null 2>&1; then\n"
    "  systemctl enable --now mailmuster-checkin.timer >/dev/null 2>&1 </dev/null || :\n"
    "fi\n"
    "say checkin \"$(cut -d' ' -f1,2 \"$id.pub\")\"\n";

/* An account that may do one thing: run the agent as root. It has no password,
 * but is not locked: an sshd without PAM lets nobody into a locked one. */
static const char sudo_rule[] =
    "if ! getent passwd \"$account\" >/dev/null; then\n"
    "  useradd --system --password '*' --create-home --home-dir \"/var/lib/$account\" --shell /bin/sh "
    "\"$account\"\n"
    "fi\n"
    "command -v sudo >/dev/null || fail 1 \"there is no sudo on this host, which an account other than root "
    "needs\"\n"
    "printf '%s ALL=(root) NOPASSWD: %s\\n' \"$account\" \"$command\" >\"$tmp/sudo\"\n"
    "visudo -cqf \"$tmp/sudo\" || fail 1 \"the sudo rule is not accepted\"\n"
    "put \"/etc/sudoers.d/mailmuster-$account\" 440 <\"$tmp/sudo\"\n"
    "forced=\"sudo -n $command\"\n";

static const char authorise[] =
    "home=$(getent passwd \"$account\" | cut -d: -f6)\n"
    "group=$(id -g \"$account\")\n"
    "[ -d \"$home\" ] || fail 1 \"the home of $account is not there\"\n"
    "if [ ! -d \"$home/.ssh\" ]; then mkdir -m 700 \"$home/.ssh\"; chown \"$account:$group\" \"$home/.ssh\"; "
    "fi\n"
    "keys=$home/.ssh/authorized_keys\n"
    "blob=$(printf '%s\\n' \"$ssh_key\" | cut -d' ' -f2)\n"
    "{ if [ -f \"$keys\" ]; then grep -vF \"$blob\" \"$keys\" || :; fi\n"
    "  printf 'command=\"%s\",restrict %s\\n' \"$forced\" \"$ssh_key\"; } >\"$tmp/keys\"\n"
    "put \"$keys\" 600 <\"$tmp/keys\"\n"
    "chown \"$account:$group\" \"$keys\"\n"
    "say login \"$put\"\n";

static void set_up_checkin(const struct mm_enroll_checkin *k, struct mm_buf *out)
{
	struct mm_buf known = MM_BUF_INIT(65536);
	mm_enroll_checkin_known(k, &known);
	variable("id", MM_CHECKIN_KEY, out);
	document("base64 -d >\"$tmp/known\"", known.data, known.len, out);
	mm_buf_adds(out, checkin);
	mm_buf_free(&known);
}

void mm_enroll_script(const struct mm_enrolment *e, struct mm_buf *out)
{
	struct mm_buf conf = MM_BUF_INIT(262144);
	bool root = mm_streq(e->account, "root");
	mm_enroll_conf(e, &conf);
	mm_buf_adds(out, begin);
	variable("host", e->host, out);
	variable("account", e->account, out);
	variable("agent", e->agent, out);
	variable("config", e->config, out);
	variable("ssh_key", e->ssh_key, out);
	variable("force", e->force ? "yes" : "no", out);
	/* The usual configuration needs no word in the forced command. */
	mm_buf_adds(out, mm_streq(e->config, "/etc/mailmuster/agent.conf")
			     ? "command=\"$agent receive\"\n"
			     : "command=\"$agent receive --config $config\"\n");
	mm_buf_adds(out, "forced=$command\n");
	if (e->deb != NULL) {
		document("base64 -d >\"$tmp/agent.deb\"", e->deb->data, e->deb->len, out);
		mm_buf_adds(out, install);
	}
	document("base64 -d >\"$tmp/conf\"", conf.data, conf.len, out);
	mm_buf_adds(out, configure);
	if (e->checkin != NULL)
		set_up_checkin(e->checkin, out);
	if (!root)
		mm_buf_adds(out, sudo_rule);
	mm_buf_adds(out, authorise);
	mm_buf_free(&conf);
}
