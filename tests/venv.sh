# Sourced. `venv <name> <package==version>…` puts Python packages into an environment of their own, target/venv-<name>, once.
venv() {
  local folder=target/venv-$1
  shift
  [ "$(cat "$folder/packages" 2>/dev/null)" = "$*" ] && return
  rm -rf "$folder"
  python3 -m venv "$folder"
  "$folder/bin/pip" install -q "$@"
  echo "$*" >"$folder/packages"
}
