#!/bin/sh
# Makes .venv from the locked requirements (run or dev), names what a bare machine lacks (doctor), solves the locks anew (lock).
# Plain sh and python3 alone: this runs before anything of ours is installed. uv is used when it is there; root is never needed.
set -eu
cd "$(dirname "$0")/.."
root=$(pwd -P)
wanted=${1:-run}

usable() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    for candidate in "${PYTHON:-python3}" python3.11 python3.12 python3.13 python3.14; do
        if command -v "$candidate" >/dev/null 2>&1 && usable "$candidate"; then command -v "$candidate"; return; fi
    done
    return 1
}

# The Debian packages a bare machine lacks, on one line; nothing when all is there.
lacking() {
    list=""
    command -v make >/dev/null 2>&1 || list="$list make"
    if python=$(find_python); then
        "$python" -c 'import ensurepip, venv' 2>/dev/null || command -v uv >/dev/null 2>&1 || list="$list python3-venv"
    else
        list="$list python3 python3-venv"
    fi
    [ -e /etc/ssl/certs/ca-certificates.crt ] || list="$list ca-certificates"
    [ -z "$list" ] || echo "apt-get install -y --no-install-recommends$list"
}

doctor() {
    line=$(lacking)
    if [ -z "$line" ]; then
        echo "这台机器什么都不缺 · this machine lacks nothing: make run"
        [ ! -x .venv/bin/citycard ] || .venv/bin/citycard doctor
        return
    fi
    echo "还缺，请运行 · still lacking, please run:"
    [ "$(id -u)" = 0 ] && echo "  $line" || echo "  sudo $line"
    return 1
}

# The lock, and where the checkout lies: a moved one has scripts that point to nowhere.
sum() { { cat "$1" && echo "$root"; } | sha256sum | cut -c1-64; }

made_from() { [ -f ".venv/.made-from-$1" ] && [ "$(cat ".venv/.made-from-$1")" = "$(sum "requirements/$1.txt")" ]; }

# dev holds all that run holds, in the same versions.
ready() { [ -x .venv/bin/citycard ] && { made_from "$1" || { [ "$1" = run ] && made_from dev; }; }; }

outdated() { for kind in run dev; do [ ! -f ".venv/.made-from-$kind" ] || made_from "$kind" || return 0; done; return 1; }

install() {
    lock="requirements/$1.txt"
    echo "准备环境 · making .venv from $lock ($(grep -c '^[a-z].*==' "$lock") packages, once)"
    if outdated; then rm -rf .venv; fi
    rm -f .venv/.made-from-"$1"
    if command -v uv >/dev/null 2>&1; then
        [ -x .venv/bin/python ] || uv venv -q --python "$2" .venv
        VIRTUAL_ENV="$root/.venv" uv pip install --require-hashes -r "$lock"
    else
        [ -x .venv/bin/python ] || "$2" -m venv .venv
        rm -f .venv/.failed
        { .venv/bin/python -m pip install --disable-pip-version-check --no-input --progress-bar off --require-hashes -r "$lock" ||
            touch .venv/.failed; } |
            awk -v tty="$([ -t 1 ] && echo 1 || echo 0)" '!tty {next} /^Collecting|^Downloading/ {n++; printf "\r  %d  %-60.60s", n, $2; fflush()} /^Installing/ {printf "\r  安装 · installing%60s", ""; fflush()} END {print ""}'
        if [ -e .venv/.failed ]; then
            echo "安装没有成功，请检查网络后重试 · the packages could not be installed; check the network and try again" >&2
            return 1
        fi
    fi
    ours=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    echo "$root" >"$ours/citycard.pth"
    printf '#!%s/.venv/bin/python\nimport sys\n\nfrom command.main import main\n\nsys.exit(main())\n' "$root" >.venv/bin/citycard
    chmod +x .venv/bin/citycard
    sum "$lock" >".venv/.made-from-$1"
}

make_environment() {
    if ready "$1"; then return; fi
    if ! python=$(find_python); then doctor; return 1; fi
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null && ! command -v uv >/dev/null 2>&1; then doctor; return 1; fi
    install "$1" "$python"
}

# Two starts at once take turns; without flock(1) they are trusted not to meet.
take_turns() {
    if [ -z "${CITYCARD_ENVIRONMENT_LOCKED:-}" ] && command -v flock >/dev/null 2>&1; then
        CITYCARD_ENVIRONMENT_LOCKED=1 exec flock .venv.lock sh command/environment.sh "$1"
    fi
    make_environment "$1"
}

solve() {
    # Node for the pages stands alone: it is installed only on machines that have none (command/node.py).
    uv pip compile --group pages --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate \
        --custom-compile-command "make lock" --quiet -o requirements/pages.txt
    for kind in run dev; do
        [ "$kind" = run ] && more="" || more="--group test --group lint -c requirements/run.txt"
        # shellcheck disable=SC2086  # the further words are several
        uv pip compile pyproject.toml --extra embedded $more --universal --python-version 3.11 --generate-hashes \
            --no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock" --quiet -o "requirements/$kind.txt"
        echo "requirements/$kind.txt: $(grep -c '^[a-z].*==' "requirements/$kind.txt")"
    done
}

case "$wanted" in
run | dev) ready "$wanted" || take_turns "$wanted" ;;
doctor) doctor ;;
lock) solve ;;
*) echo "environment.sh run|dev|doctor|lock" >&2; exit 2 ;;
esac
