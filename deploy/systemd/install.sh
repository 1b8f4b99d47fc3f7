#!/usr/bin/env bash
# Install or update Arash Panoptes for systemd, from this checkout: sudo deploy/systemd/install.sh
#
#   /opt/arash-panoptes               the program and its virtual environment, root's
#   /etc/arash-panoptes/arash.env     settings
#   /etc/arash-panoptes/credentials/  one file per secret, readable by root alone
#   /var/lib/arash-panoptes           data
#
# Settings, secrets and data that are there are left alone. DESTDIR puts all of it below another
# root and starts nothing, for packages and tests.
set -euo pipefail
umask 022

root=${DESTDIR:-}
source=$(cd "$(dirname "$0")/../.." && pwd)
program=$root/opt/arash-panoptes
settings=$root/etc/arash-panoptes
units=$root/etc/systemd/system
secrets=(INTERNAL_API_KEY BOT_API_KEY ADMIN_API_KEY METRICS_API_KEY OPENROUTER_API_KEY
  TELEGRAM_BOT_TOKEN TELEGRAM_WEBHOOK_SECRET INTERNAL_WEBHOOK_SECRET DATABASE_URL REDIS_URL)

copy_program() {
  install -d "$program" "$units" "$root/etc/sysusers.d" "$root/usr/local/sbin"
  for part in app wire telegram docs deploy; do
    rm -rf "${program:?}/$part"
    cp -R "$source/$part" "$program/"
    find "$program/$part" -name __pycache__ -prune -exec rm -r {} +
    # Whatever the checkout allows: the services run as somebody who may only read.
    chmod -R u=rwX,go=rX "$program/$part"
  done
  cp "$source"/{LICENSE,README.md,requirements.txt,run_service.py,run_telegram_bot.py} "$program/"
  cp "$source"/deploy/systemd/*.service "$units/"
  cp "$source/deploy/systemd/arash-panoptes.sysusers.conf" "$root/etc/sysusers.d/arash-panoptes.conf"
  install -m 0755 "$source/deploy/systemd/arash" "$root/usr/local/sbin/arash"
}

install_packages() {
  if cmp -s "$source/requirements.txt" "$program/.venv/installed.txt"; then return; fi
  "${PYTHON:-python3}" -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed.")'
  "${PYTHON:-python3}" -m venv "$program/.venv"
  "$program/.venv/bin/python" -m pip install --quiet --require-hashes -r "$source/requirements.txt"
  cp "$source/requirements.txt" "$program/.venv/installed.txt"
}

# What `make env` would write, with each secret in a file of its own.
write_settings() {
  if [ -e "$settings/arash.env" ]; then return; fi
  install -d -m 0755 "$settings"
  install -d -m 0700 "$settings/credentials"
  local made
  made=$(mktemp -d)
  (cd "$program" && .venv/bin/python -m app env --folder "$made" >/dev/null)
  (
    umask 077
    for name in "${secrets[@]}"; do
      local value
      value=$(sed -n "s/^$name=//p" "$made/.env")
      # The default of DATABASE_URL stands in the units.
      if [ -n "$value" ] && [ "$name" != DATABASE_URL ]; then
        printf '%s\n' "$value" >"$settings/credentials/$name"
      fi
    done
    cp "$made/secrets/encryption.key" "$settings/credentials/encryption.key"
  )
  local pattern
  pattern=$(IFS='|' && echo "${secrets[*]}")
  sed -E -e "/^($pattern|ENCRYPTION_KEY_FILE)=/d" -e 's/^ENVIRONMENT=.*/ENVIRONMENT=production/' \
    -e 's/^(LOG_FILE|TELEGRAM_LOG_FILE)=.*/\1=/' "$made/.env" >"$settings/arash.env"
  chmod 0644 "$settings/arash.env"
  rm -r "$made"
}

start() {
  "$program/.venv/bin/python" -m compileall -q "$program"/{app,wire,telegram}
  systemd-sysusers
  systemctl daemon-reload
  systemctl try-restart arash-bot.service 'arash-bot@*.service' panoptes-telegram-bot.service
  cat <<'TEXT'
Installed. Put your keys where only root reads them, for instance
  sudo install -m 600 /dev/stdin /etc/arash-panoptes/credentials/OPENROUTER_API_KEY
set DAILY_SPEND_LIMIT_USD in /etc/arash-panoptes/arash.env, then
  sudo systemctl enable --now arash-bot panoptes-telegram-bot
TEXT
}

if [ -z "$root" ] && [ "$(id -u)" != 0 ]; then
  echo "Run it as root: sudo $0" >&2
  exit 1
fi
copy_program
install_packages
write_settings
if [ -z "$root" ]; then start; fi
