# shellcheck shell=sh
# Read by the other scripts: the comment at a script's head is its help.
usage() {
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
}

case ${1-} in
-h | --help)
    usage
    exit 0
    ;;
esac
