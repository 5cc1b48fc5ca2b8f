#!/bin/sh
# Make or mend the environment: install.sh VENV run|dev, with PYTHON naming the interpreter to start from, and EXTRAS
# the extras of pyproject.toml to install from now on.
# Interrupted at any point, the next call finishes the work. Package indexes are the user's own settings of pip and uv.
set -eu

venv=$1
kind=$2
here=$(dirname "$0")

fail() {
    printf '%s\n' "$@" >&2
    exit 1
}

[ -n "${PYTHON:-}" ] || fail \
    "ganops needs Python 3.11 to 3.14 with its venv module, and found none on PATH" \
    "  to do: install it (Debian, Ubuntu: apt install python3 python3-venv), or name one: make PYTHON=/path/to/python3 ..."

# An environment that has the tools for development keeps them.
[ ! -e "$venv/.dev-ready" ] || kind=dev
rm -f "$venv/.run-ready" "$venv/.dev-ready"

if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    echo "Making $venv with $("$PYTHON" --version) ..."
    "$PYTHON" -m venv --clear "$venv" || fail \
        "$PYTHON cannot make a virtual environment in $venv" \
        "  to do: see the message above; on Debian and Ubuntu: apt install python3-venv"
fi

# pip brings uv and nothing else: uv is faster, and takes torch and torchvision from one and the same index.
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-user --require-hashes -r "$here/uv.txt"

# uv does not read pip's settings: hand it the index that pip was told to use, unless uv has one of its own.
if [ -z "${UV_DEFAULT_INDEX:-}${UV_INDEX_URL:-}" ]; then
    index=${PIP_INDEX_URL:-$("$venv/bin/python" -m pip config get global.index-url 2>/dev/null || true)}
    [ -z "$index" ] || export UV_DEFAULT_INDEX="$index"
fi

uv() {
    "$venv/bin/uv" "$@" --python "$venv/bin/python"
}

# What an interrupted call left may look installed without being whole, so after one everything is installed anew.
again=
[ ! -e "$venv/.unfinished" ] || again=--reinstall
touch "$venv/.unfinished"
echo "Installing the packages of requirements/$kind.txt (5 GB with torch: some minutes the first time) ..."
# Compiled once here, so that the first run does not wait for it in every process.
uv pip sync $again --compile-bytecode --require-hashes --build-constraints "$here/$kind.txt" "$here/$kind.txt"
uv pip install --quiet --no-deps --no-build-isolation --editable "$here/.."
extras=${EXTRAS:-$(cat "$venv/.extras" 2>/dev/null || true)}
if [ -n "$extras" ]; then
    names=$(echo "$extras" | tr -s ' ' ',')
    uv pip install --quiet --no-build-isolation --constraints "$here/extras.txt" --editable "$here/..[$names]"
    echo "$extras" >"$venv/.extras"
fi
"$venv/bin/python" -m pipeline.plots_page
rm -f "$venv/.unfinished"
touch "$venv/.run-ready"
[ "$kind" = run ] || touch "$venv/.dev-ready"
