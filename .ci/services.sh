# Sourced by the scripts beside it: a folder of our own, private ports, and processes ended by their id.
# shellcheck shell=bash

service_dir=$(mktemp -d "${TMPDIR:-/tmp}/isochron-services.XXXXXX")
chmod 755 "$service_dir"
service_pids=()

# PostgreSQL refuses to run as root, and nothing here needs its rights.
as_ordinary=()
if [ "$(id -u)" = 0 ]; then
  as_ordinary=(setpriv --reuid=65534 --regid=65534 --clear-groups)
fi

hand_over() {
  if [ "$(id -u)" = 0 ]; then chown -R 65534:65534 "$@"; fi
}

# Prints as many free loopback ports as asked for.
free_ports() {
  node -e '
    const net = require("node:net");
    const servers = Array.from({ length: Number(process.argv[1]) }, () => net.createServer());
    Promise.all(servers.map((server) => new Promise((done) => server.listen(0, "127.0.0.1", done)))).then(() => {
      console.log(servers.map((server) => server.address().port).join("\n"));
      servers.forEach((server) => server.close());
    });
  ' "$1"
}

# wait_until SECONDS WHAT COMMAND…: tries the command until it succeeds.
wait_until() {
  local until=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    if [ "$SECONDS" -ge "$until" ]; then
      echo "$what did not come about in time" >&2
      return 1
    fi
    sleep 0.2
  done
}

stop_service() { # PID SIGNAL
  kill -s "$2" "$1" 2>/dev/null || return 0
  local until=$((SECONDS + 30))
  while kill -0 "$1" 2>/dev/null; do
    if [ "$SECONDS" -ge "$until" ]; then kill -s KILL "$1" 2>/dev/null || true; fi
    sleep 0.1
  done
  wait "$1" 2>/dev/null || true
}

# The last one started is stopped first.
stop_services() {
  local index
  for ((index = ${#service_pids[@]} - 1; index >= 0; index--)); do
    # shellcheck disable=SC2086
    stop_service ${service_pids[index]}
  done
  service_pids=()
  rm -rf "$service_dir"
}
trap stop_services EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
