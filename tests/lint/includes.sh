#!/bin/bash
# The layers of DESIGN.md: who may include whom, where each library lives, and
# who may touch files or speak SQL. Says file:line and what is wrong, once per
# wrong line; status 1 when there is one. Tests are free.
#
# Usage: tests/lint/includes.sh [SOURCE-FOLDER [FILE...]]     (files: below that folder, instead of all)
set -eu
cd "${1:-$(dirname "$0")/../..}"
[ $# -eq 0 ] || shift

# ---- the rules

# Folder, and the folders whose headers it may include. The longest folder
# that a file lies in counts.
layers='
common: common
schemas: common schemas
agent/formats: common agent/formats
agent/clients: common schemas agent/formats agent/clients
agent/probe: common schemas agent/probe
agent: common schemas agent
controller: common schemas controller
'

# Header (an extended regular expression), and the files that may include it.
homes='
sqlite3\.h ^controller/store/
libssh2.*\.h ^controller/push/
curl/.*\.h ^agent/probe/|^controller/deliver/
(krb5|gssapi/.*)\.h ^agent/probe/tickets?\.c$
libconfig\.h ^controller/(policy/|checks/load\.c$|conf\.c$)|^agent/conf[a-z_]*\.[ch]$
openssl/.*\.h ^common/digest\.c$|^schemas/signing\.c$|^agent/probe/tls[a-z_]*\.[ch]$
seccomp\.h ^common/sandbox\.c$
systemd/.*\.h ^agent/[a-z_]*\.[ch]$
'

# Adapters and formats open nothing: they get a reader and return edits.
pure='^agent/(clients|formats)/'
pure_headers='unistd\.h|fcntl\.h|dirent\.h|glob\.h|netdb\.h|spawn\.h|stdio\.h|sys/(stat|socket|mman|wait)\.h'
pure_headers+='|common/(proc|priv|sandbox|frame|cli|term)\.h'
pure_calls='open|openat|creat|fopen|fdopen|freopen|fclose|close|read|pread|readv|fread|getc|fgetc|fgets|getline|getdelim'
pure_calls+='|write|pwrite|writev|fwrite|puts|fputs|putc|fputc|printf|fprintf|vprintf|vfprintf|dprintf|perror'
pure_calls+='|stat|lstat|fstat|fstatat|statx|access|faccessat|opendir|fdopendir|readdir|closedir|scandir|glob|ftw|nftw'
pure_calls+='|rename|renameat|unlink|unlinkat|remove|link|symlink|readlink|readlinkat|realpath|mkdir|mkdirat|rmdir'
pure_calls+='|chmod|fchmod|chown|fchown|truncate|ftruncate|mkstemp|mkostemp|mkdtemp|tmpfile|fsync|mmap|flock|fcntl|ioctl'
pure_calls+='|fork|vfork|execv|execve|execvp|execl|execlp|posix_spawn|posix_spawnp|socket|connect|getaddrinfo|kill|exit|_exit'
pure_calls+='|mm_file_read|mm_file_resolve|mm_file_read_own|mm_file_remove|mm_replace|mm_write_own|mm_mkdirs|mm_lock_file'
pure_calls+='|mm_write_all'

# SQL lives in the store (and in schemas/sql, which holds no C).
sql_home='^controller/store/'
sql='"[^"]*(SELECT [^"]*FROM |INSERT (OR [A-Z]+ )?INTO |REPLACE INTO |UPDATE [A-Za-z_]+ SET |DELETE FROM '
sql+='|(CREATE|DROP|ALTER) (TABLE|INDEX|VIEW|TRIGGER|UNIQUE|TEMP)|PRAGMA [a-z]|BEGIN (IMMEDIATE|EXCLUSIVE|DEFERRED|TRANSACTION))'
sql_controller='"(SELECT|INSERT|UPDATE|DELETE|WITH|VALUES|BEGIN|COMMIT|ROLLBACK|SAVEPOINT) ?[^"]*"'

# ---- the checker

# Comments become blanks, line by line; strings stay.
# shellcheck disable=SC2016 # awk's dollars, not the shell's
without_comments='
!in_comment && !/\/[*\/]/ { print; next }
{
	out = ""; n = length($0)
	for (i = 1; i <= n; i++) {
		c = substr($0, i, 1); two = substr($0, i, 2)
		if (in_comment) {
			if (two == "*/") { in_comment = 0; i++ }
			continue
		}
		if (quote != "") {
			out = out c
			if (c == "\\") { i++; out = out substr($0, i, 1) }
			else if (c == quote) quote = ""
			continue
		}
		if (two == "/*") { in_comment = 1; i++; out = out " "; continue }
		if (two == "//") break
		if (c == "\"" || c == "\047") quote = c
		out = out c
	}
	quote = ""
	print out
}'

wrong=0
say() { # FILE:LINE TEXT
	printf '%s: %s\n' "$1" "$2"
	wrong=1
}

# The folders that a file's folder may include, empty when it has no rule.
allowed_for() { # FILE
	local folder rest best='' found=''
	while IFS=': ' read -r folder rest; do
		[ -n "$folder" ] || continue
		if [[ $1 == "$folder"/* && ${#folder} -gt ${#best} ]]; then
			best=$folder
			found=$rest
		fi
	done <<<"$layers"
	printf '%s' "$found"
}

check_own_header() { # FILE LINE HEADER ALLOWED
	local folder
	for folder in $4; do
		if [[ $3 == "$folder"/* ]]; then
			# agent may use agent/clients, but the probe is a program of its own.
			if [[ $3 == agent/probe/* && $1 != agent/probe/* ]]; then
				break
			fi
			return
		fi
	done
	say "$1:$2" "may not include \"$3\" (only: $4)"
}

check_library_header() { # FILE LINE HEADER
	local header home
	while read -r header home; do
		if [[ -n $header && $3 =~ ^($header)$ && ! $1 =~ $home ]]; then
			say "$1:$2" "<$3> has its home elsewhere ($home)"
		fi
	done <<<"$homes"
}

check_includes() { # FILE
	local file=$1 allowed line text header
	allowed=$(allowed_for "$file")
	while IFS=: read -r line text; do
		if [[ $text =~ ^[[:space:]]*#[[:space:]]*include[[:space:]]*\"([^\"]+)\" ]]; then
			header=${BASH_REMATCH[1]}
			check_own_header "$file" "$line" "$header" "$allowed"
		elif [[ $text =~ ^[[:space:]]*#[[:space:]]*include[[:space:]]*\<([^\>]+)\> ]]; then
			header=${BASH_REMATCH[1]}
			if [[ $header =~ ^(common|schemas|agent|controller)/ ]]; then
				say "$file:$line" "write our own headers in quotes: <$header>"
			fi
		else
			say "$file:$line" "an include that cannot be checked: $text"
			continue
		fi
		check_library_header "$file" "$line" "$header"
	done < <(grep -nE '^[[:space:]]*#[[:space:]]*(include|import)' "$stripped" || true)
}

check_pure() { # FILE
	local line text
	while IFS=: read -r line text; do
		say "$1:$line" "adapters and formats open nothing: ${text#"${text%%[![:space:]]*}"}"
	done < <(grep -nE "#[[:space:]]*include[[:space:]]*[<\"]($pure_headers)[>\"]|(^|[^A-Za-z0-9_.>\"])($pure_calls)[[:space:]]*\(" "$stripped" || true)
}

check_sql() { # FILE
	local line text pattern=$sql
	if [[ $1 == controller/* ]]; then
		pattern="$sql|$sql_controller"
	fi
	while IFS=: read -r line text; do
		say "$1:$line" "SQL outside controller/store: ${text#"${text%%[![:space:]]*}"}"
	done < <(grep -nE "$pattern" "$stripped" || true)
}

stripped=$(mktemp)
trap 'rm -f "$stripped"' EXIT
count=0
while IFS= read -r file; do
	count=$((count + 1))
	awk "$without_comments" "$file" >"$stripped"
	check_includes "$file"
	if [[ $file =~ $pure ]]; then
		check_pure "$file"
	fi
	if ! [[ $file =~ $sql_home ]]; then
		check_sql "$file"
	fi
done < <(if [ $# -gt 0 ]; then printf '%s\n' "$@"; else find common schemas agent controller -name '*.[ch]' -type f | sort; fi)
if [ "$count" -eq 0 ]; then
	echo "includes.sh: no source found below $PWD" >&2
	exit 1
fi
[ "$wrong" -eq 0 ] && echo "$count files: every arrow is right"
exit "$wrong"
