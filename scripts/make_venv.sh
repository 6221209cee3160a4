#!/usr/bin/env bash
# A virtual environment in $VENV by $PYTHON. Debian splits venv from Python: it is installed where that is allowed.
set -euo pipefail
if [ -z "${PYTHON:-}" ]; then
  echo "Hordeloper needs Python 3.11, 3.12 or 3.13; none was found." >&2
  exit 1
fi
"$PYTHON" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || {
  echo "Hordeloper needs Python 3.11, 3.12 or 3.13; $PYTHON is $("$PYTHON" --version)." >&2
  exit 1
}
if ! "$PYTHON" -c 'import ensurepip' 2>/dev/null; then
  version=$("$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq && apt-get install -y -qq "python$version-venv"
  else
    echo "Install python$version-venv first: sudo apt-get install python$version-venv" >&2
    exit 1
  fi
fi
"$PYTHON" -m venv "$VENV"
