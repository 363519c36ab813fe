#!/bin/bash
# The include checker refuses every wrong arrow and no right one. Each case
# adds one line to one file of a temporary copy (of one real file per folder,
# so that a case takes milliseconds) and looks at what the checker says.
set -eu
cd "$(dirname "$0")/../.."
checker=$PWD/tests/lint/includes.sh
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
passed=0
failed=0

for file in common/text.c common/digest.c common/sandbox.c schemas/state.c schemas/signing.c agent/conf.c \
	agent/main.c agent/formats/ini.c agent/clients/msmtp.c agent/probe/tls.c agent/probe/engine.c agent/probe/tickets.c controller/main.c \
	controller/policy/parse.c controller/store/store.c controller/push/ssh2.c controller/report/model.c; do
	folder=$(dirname "$file")
	mkdir -p "$copy/$folder"
	if [ -f "$file" ]; then
		cp "$file" "$copy/$file"
	else
		# moved or split since: any file of that folder under this name
		cp "$(find "$folder" -maxdepth 1 -name '*.c' | sort | head -n 1)" "$copy/$file"
	fi
done

ok() {
	passed=$((passed + 1))
}

bad() {
	echo "FAILED: $*" >&2
	failed=$((failed + 1))
}

# Runs the checker with LINE at the end of FILE; answer in $status and $said.
with_line() { # FILE LINE
	local saved
	saved=$(mktemp "$copy/saved.XXXXXX")
	cp "$copy/$1" "$saved"
	# on a line of its own, also where the file lacks its last newline
	printf '\n%s\n' "$2" >>"$copy/$1"
	number=$(wc -l <"$copy/$1")
	status=0
	said=$("$checker" "$copy" "$1" 2>&1) || status=$?
	mv "$saved" "$copy/$1"
}

refused() { # FILE LINE
	with_line "$1" "$2"
	if [ "$status" -eq 1 ] && [[ $said == *"$1:$number: "* ]]; then
		ok
	else
		bad "$1: not refused: $2 ($status: $said)"
	fi
}

accepted() { # FILE LINE
	with_line "$1" "$2"
	if [ "$status" -eq 0 ]; then
		ok
	else
		bad "$1: refused: $2 ($said)"
	fi
}

if "$checker" "$copy" >/dev/null; then ok; else bad "the copy itself is refused"; fi

# ---- the layers
refused common/text.c '#include "schemas/state.h"'
refused common/text.c '#include "agent/conf.h"'
refused common/text.c '#include "controller/cmd.h"'
refused schemas/state.c '#include "agent/conf.h"'
refused schemas/state.c '#include "controller/cmd.h"'
refused agent/main.c '#include "controller/cmd.h"'
refused agent/main.c '#include "agent/probe/engine.h"'
refused agent/probe/engine.c '#include "agent/conf.h"'
refused agent/probe/engine.c '#include "agent/clients/client.h"'
refused controller/main.c '#include "agent/conf.h"'
refused controller/push/ssh2.c '#include "agent/conf.h"'
refused agent/formats/ini.c '#include "schemas/settings.h"'
refused agent/formats/ini.c '#include "agent/clients/client.h"'
refused agent/formats/ini.c '#include "agent/conf.h"'
refused agent/clients/msmtp.c '#include "agent/conf.h"'
refused agent/clients/msmtp.c '#include "controller/cmd.h"'
refused agent/main.c '#include "conf.h"'
refused agent/main.c '#include "../controller/cmd.h"'
refused agent/main.c '  #  include	"controller/cmd.h"'
refused agent/main.c '#include <controller/cmd.h>'
refused agent/main.c '#include MM_SOME_HEADER'
accepted schemas/state.c '#include "common/text.h"'
accepted agent/main.c '#include "schemas/state.h"'
accepted agent/main.c '#include "agent/clients/client.h"'
accepted agent/clients/msmtp.c '#include "agent/formats/ini.h"'
accepted agent/clients/msmtp.c '#include "schemas/settings.h"'
accepted controller/main.c '#include "controller/store/store.h"'
accepted common/text.c '/* #include "agent/conf.h" */'

# ---- libraries
refused agent/main.c '#include <sqlite3.h>'
refused controller/main.c '#include <sqlite3.h>'
refused controller/main.c '#include "sqlite3.h"'
refused controller/main.c '#include <libssh2.h>'
refused controller/main.c '#include <libssh2_sftp.h>'
refused controller/store/store.c '#include <libssh2.h>'
refused agent/main.c '#include <curl/curl.h>'
refused agent/main.c '#include <krb5.h>'
refused agent/probe/engine.c '#include <gssapi/gssapi.h>'
refused controller/push/ssh2.c '#include <curl/curl.h>'
refused controller/main.c '#include <libconfig.h>'
refused agent/main.c '#include <libconfig.h>'
refused agent/main.c '#include <openssl/evp.h>'
refused common/text.c '#include <openssl/sha.h>'
refused schemas/state.c '#include <openssl/evp.h>'
refused agent/probe/engine.c '#include <openssl/ssl.h>'
refused controller/push/ssh2.c '#include <openssl/evp.h>'
refused agent/main.c '#include <seccomp.h>'
refused controller/main.c '#include <systemd/sd-bus.h>'
accepted controller/store/store.c '#include <sqlite3.h>'
accepted controller/push/ssh2.c '#include <libssh2.h>'
accepted agent/probe/engine.c '#include <curl/curl.h>'
accepted agent/probe/tickets.c '#include <gssapi/gssapi.h>'
accepted controller/policy/parse.c '#include <libconfig.h>'
accepted agent/conf.c '#include <libconfig.h>'
accepted common/digest.c '#include <openssl/evp.h>'
accepted schemas/signing.c '#include <openssl/evp.h>'
accepted agent/probe/tls.c '#include <openssl/ssl.h>'
accepted common/sandbox.c '#include <seccomp.h>'

# ---- adapters and formats open nothing
for file in agent/clients/msmtp.c agent/formats/ini.c; do
	for header in unistd.h fcntl.h sys/stat.h dirent.h stdio.h; do
		refused "$file" "#include <$header>"
	done
	for call in 'open("x", 0)' 'openat(1, "x", 0)' 'fopen("x", "r")' 'read(0, p, 1)' 'write(1, p, 1)' 'stat("x", &st)' \
		'lstat("x", &st)' 'access("x", 0)' 'opendir("x")' 'rename("a", "b")' 'unlink("a")' 'printf("x")' \
		'fputs("x", f)' 'mm_replace(a)' 'mm_file_read (a)' 'socket(1, 2, 3)' 'execv("x", p)'; do
		refused "$file" "int f(void) { return $call; }"
	done
	accepted "$file" '/* read(2) of open(2), printf("x") */'
	accepted "$file" 'int f(void) { return a->read(x) + b.open(y) + mm_arena_printf(z); }'
	accepted "$file" 'int f(void) { return spread(x) + reopen(y) + snprintf(a, b, c); }'
done
refused agent/clients/msmtp.c '#include "common/proc.h"'
accepted agent/main.c 'int f(void) { return open("x", 0); }'

# ---- SQL
for line in '"SELECT a FROM b"' '"INSERT INTO a VALUES (1)"' '"INSERT OR IGNORE INTO a"' '"UPDATE a SET b = 1"' \
	'"DELETE FROM a"' '"CREATE TABLE a (b)"' '"PRAGMA user_version"' '"BEGIN IMMEDIATE"' '"DROP TABLE a"'; do
	for file in agent/main.c schemas/state.c common/text.c controller/main.c controller/report/model.c; do
		refused "$file" "const char *s = $line;"
	done
	accepted controller/store/store.c "const char *s = $line;"
done
refused controller/main.c 'const char *s = "SELECT a, b"'
accepted agent/probe/engine.c 'const char *s = "SELECT INBOX";'
accepted agent/main.c '/* "SELECT a FROM b" */'

# ---- and a folder without sources is no success
status=0
"$checker" "$copy/common" >/dev/null 2>&1 || status=$?
if [ "$status" -eq 1 ]; then ok; else bad "an empty folder passes"; fi

echo "includes-test: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
