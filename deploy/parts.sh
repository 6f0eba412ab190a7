# shellcheck shell=bash
# parts.sh: what the demonstrations share: words in two languages, programs in the background that are known by
# pid and start, packages, build. It is sourced, and wants set before: top, build, programs; and as soon as
# they are known: dir, run, logs, install (yes or no).

usual_umask=$(umask)
umask 077 # what follows holds keys; the build apart

self=${0##*/}
bin=$build/bin

# --- words ---------------------------------------------------------------------------------------

language=en
case ${LC_ALL:-${LC_MESSAGES:-${LANG:-}}} in ja*) language=ja ;; esac

# say ENGLISH JAPANESE [VALUE...]: printf in the reader's language; values stand in the same order in both.
say() {
	local format=$1
	[ $language = en ] || format=$2
	shift 2
	# shellcheck disable=SC2059 # the formats are ours
	printf -- "$format\n" "$@"
}

# A path as it can be typed.
quoted() { case $1 in *[!A-Za-z0-9/._:-]*) printf '%q' "$1" ;; *) printf '%s' "$1" ;; esac; }

part_log='' # of what is being done, for the message when it fails
part_from=0

# use_log NAME: what is done from now on writes to this log.
use_log() {
	part_log=$logs/$1.log
	part_from=$(($(wc -c 2>/dev/null <"$part_log" || echo 0) + 1))
}

# fail EXIT ENGLISH JAPANESE [VALUE...]
fail() {
	local code=$1
	shift
	{
		echo
		printf '%s: ' "$self"
		say "$@"
		if [ -n "$part_log" ] && [ -s "$part_log" ]; then
			say 'The last lines of %s:' '%s の最後の行:' "$part_log"
			tail -c "+$part_from" "$part_log" | tail -n 20 | sed 's/^/    /'
		fi
	} >&2
	exit "$code"
}

# --- programs in the background -------------------------------------------------------------------
# run/NAME.pid holds "pid start boot": a number that another program has got since is not ours.

boot_id() { cat /proc/sys/kernel/random/boot_id 2>/dev/null || echo unknown; }

# When a process began, in ticks since boot; nothing when there is none. The name in
# /proc/PID/stat may hold blanks and brackets, so what counts begins behind the last one.
start_of() {
	local stat
	stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
	stat=${stat##*) }
	# shellcheck disable=SC2086 # words are wanted
	set -- $stat
	[ "$1" != Z ] && echo "${20}"
}

# The pid of a part, if it runs and is ours.
pid_of() {
	local pid start boot
	read -r pid start boot 2>/dev/null <"$run/$1.pid" || return 1
	[ "$boot" = "$(boot_id)" ] && [ "$(start_of "$pid")" = "$start" ] && echo "$pid"
}

started=() # by this call, so that a failure takes back no more than that

# background NAME LOG COMMAND...: starts it apart from this terminal and notes its pid.
background() {
	local what=$1 log=$2 pid
	shift 2
	setsid "$@" </dev/null >>"$log" 2>&1 9>&- &
	pid=$!
	disown "$pid" # its end is no news for this shell
	echo "$pid $(start_of "$pid") $(boot_id)" >"$run/$what.pid"
	started+=("$what")
}

# wait_ready NAME FILE SECONDS: until the program wrote its line to FILE; 1 when it ended or never did.
wait_ready() {
	local tries=$(($3 * 10))
	while [ ! -s "$2" ]; do
		pid_of "$1" >/dev/null || return 1
		[ $((tries--)) -gt 0 ] || return 1
		sleep 0.1
	done
}

# end NAME: asks it to end, waits, insists.
end() {
	local pid tries=150
	if pid=$(pid_of "$1"); then
		kill "$pid" 2>/dev/null
		while pid_of "$1" >/dev/null; do
			[ $((tries--)) -gt 0 ] || {
				kill -KILL "$pid" 2>/dev/null
				break
			}
			sleep 0.1
		done
	fi
	rm -f "$run/$1.pid" "$run/$1.ready"
}

# --- places and packages -------------------------------------------------------------------------

home_of_user() {
	local home=${HOME:-}
	[ -n "$home" ] || home=$(getent passwd "$(id -u)" | cut -d: -f6)
	echo "$home"
}

# place_of NAME: where a demonstration keeps everything unless it is told; into $dir.
place_of() {
	local home
	if [ -z "$dir" ]; then
		home=$(home_of_user)
		[ -n "$home" ] && [ "$home" != / ] && [ -d "$home" ] ||
			fail 78 'there is no home directory: say where to keep everything with --dir DIR.' \
				'ホームディレクトリがありません。--dir DIR で保存先を指定してください。'
		dir=$home/.local/share/$1
	fi
	case $dir in /*) ;; *) dir=$PWD/$dir ;; esac
	run=$dir/run logs=$dir/log
}

works() { # whether $DISPLAY is a display that can be used
	[ -n "${DISPLAY:-}" ] && command -v xdpyinfo >/dev/null && timeout 5 xdpyinfo >/dev/null 2>&1
}

# need LIST...: these packages are there, or are installed now.
need() {
	local missing
	[ -r /etc/debian_version ] && command -v dpkg-query >/dev/null || fail 69 \
		'this needs Debian 12 (or a system like it): dpkg is missing.' \
		'Debian 12（または同等の環境）が必要です。dpkg がありません。'
	missing=$("$top/deploy/packages" --missing "$@" | tr '\n' ' ')
	[ -n "$missing" ] || return 0
	say 'Missing packages: %s' '足りないパッケージ: %s' "$missing"
	if [ "$install" = no ]; then
		fail 69 'install them with: %s --install %s' 'インストールするには: %s --install %s' \
			"$(quoted "$top/deploy/packages")" "$*"
	fi
	if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
		fail 69 'installing them needs root or sudo. As root: %s --install %s' \
			'インストールには root 権限または sudo が必要です。root での実行: %s --install %s' \
			"$(quoted "$top/deploy/packages")" "$*"
	fi
	LC_ALL=C.UTF-8 "$top/deploy/packages" --install "$@" || fail 69 \
		'they could not be installed; nothing was started.' \
		'インストールできませんでした。何も起動していません。'
}

# --- one call at a time, and what a failure takes back ---------------------------------------------

finish() {
	local code=$?
	trap - EXIT
	if [ $code != 0 ] && [ ${#started[@]} != 0 ]; then
		for ((i = ${#started[@]} - 1; i >= 0; i--)); do
			end "${started[i]}"
		done
		say 'What this call had started was ended again.' 'この実行で起動したものは終了しました。' >&2
	fi
	exit $code
}

# enter: the directories are there, and nobody else works in them.
enter() {
	local one
	for one in flock setsid timeout; do
		command -v $one >/dev/null || fail 69 '%s is missing.' '%s がありません。' $one
	done
	mkdir -p "$run" "$logs" 2>/dev/null && [ -w "$run" ] && [ -w "$logs" ] || fail 73 \
		'%s cannot be written: choose another place with --dir DIR.' \
		'%s に書き込めません。--dir DIR で別の場所を指定してください。' "$dir"
	exec 9>"$run/lock"
	flock -n 9 || fail 75 'another %s works in %s.' '別の %s が %s で実行中です。' "$self" "$dir"
	trap finish EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
}

# stop_parts NAME...: ends them in this order.
stop_parts() {
	local one ended=0
	for one in "$@"; do
		pid_of "$one" >/dev/null && {
			ended=$((ended + 1))
			say 'ended: %s' '終了しました: %s' "$one"
		}
		end "$one"
	done
	[ $ended != 0 ] || say 'Nothing of %s runs.' '%s のものは何も動いていません。' "$dir"
}

# status_parts NAME...
status_parts() {
	local one pid
	for one in "$@"; do
		if pid=$(pid_of "$one"); then
			say '%-8s runs (pid %s)' '%-8s 実行中 (pid %s)' "$one" "$pid"
		else
			say '%-8s does not run' '%-8s 停止中' "$one"
		fi
	done
	say 'Directory: %s' 'ディレクトリ: %s' "$dir"
}

# --- build ---------------------------------------------------------------------------------------

are_built() {
	local one
	for one in "${programs[@]}"; do
		[ -x "$bin/$one" ] || return 1
	done
}

# The page that a gateway without console serves is in its program by this name.
has_console() { ! grep -q without-console-1 "$bin/engawa-gateway" 2>/dev/null; }

build_programs() {
	umask "$usual_umask"
	# node and npm may have come since it was built without the console.
	[ -f "$build/build.ninja" ] && has_console || cmake -G Ninja -S "$top" -B "$build" || return
	ninja -C "$build" "${programs[@]}"
}

build_all() {
	use_log build
	(umask "$usual_umask" && mkdir -p "$build" 2>/dev/null)
	if [ ! -w "$build" ] && are_built; then
		# Somebody else's, and whole: for trying it that is enough.
		say 'Using the programs in %s.' '%s のプログラムを使います。' "$bin"
	else
		[ -w "$build" ] || fail 73 '%s cannot be written.' '%s に書き込めません。' "$build"
		say 'Building into %s …' 'ビルド中: %s …' "$build"
		(build_programs) >>"$part_log" 2>&1 9>&- ||
			fail 70 'the build failed.' 'ビルドに失敗しました。'
	fi
}

# --- what programs and machine say -----------------------------------------------------------------

# field NAME: the value of a string member, from JSON on standard input.
field() { sed -n 's/.*"'"$1"'": *"\([^"\\]*\)".*/\1/p' | head -n 1; }

listens() { # whether somebody listens on this TCP port of this machine
	awk -v port="$(printf '%04X' "$1")" \
		'$4 == "0A" && substr($2, length($2) - 3) == port { found = 1 } END { exit !found }' \
		/proc/net/tcp /proc/net/tcp6 2>/dev/null
}

# own_screen NAME SIZE: a display of our own; into $screen. Its key is in run/NAME.auth: without one it
# would be open to every user of this machine.
own_screen() {
	local cookie auth=$run/$1.auth
	rm -f "$auth" "$run/$1.ready"
	cookie=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
	echo "add :0 . $cookie" | xauth -q -f "$auth" source - 2>>"$part_log"
	background "$1" "$part_log" Xvfb -displayfd 8 -screen 0 "$2x24" -nolisten tcp -noreset \
		-auth "$auth" 8>"$run/$1.ready"
	wait_ready "$1" "$run/$1.ready" 20 || fail 69 'Xvfb did not start.' 'Xvfb が起動しませんでした。'
	screen=:$(cat "$run/$1.ready")
	echo "add $screen . $cookie" | xauth -q -f "$auth" source - 2>>"$part_log"
}
