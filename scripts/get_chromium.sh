#!/usr/bin/env bash
# Chromium for the tests in a browser: Debian's, installed where that is allowed. Without it those tests are skipped.
set -u
command -v chromium >/dev/null && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  apt-get update -qq && apt-get install -y -qq chromium >/dev/null && exit 0
fi
echo "No Chromium, and no right to install it: the tests in a browser will be skipped (apt-get install chromium)." >&2
exit 0
