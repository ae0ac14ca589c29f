#!/bin/bash
# The start script of custom images, as /home/work/run_train.sh. It makes and enters user-job-dir, fetches the code
# unless the service has put it there, and runs its arguments:
#
#   run_train.sh COMMAND [ARGUMENT…]
#   run_train.sh CODE_URL BOOT_FILE LOG_FILE [ARGUMENT…]      the older form; BOOT_FILE is FOLDER/train.py
#
# It returns the return code of what it runs, and 127 if the code cannot be fetched.

[ -n "${BASH_VERSION-}" ] || exec bash "$0" "$@" # `sh run_train.sh …` works, too
set +o posix

fetch() { # URL of a code directory
    local url=${1%/} present=${DLS_APP_URL%/} folder
    folder=${url##*/}
    if [[ -d $folder && ${url#*://} == "${present#*://}" ]]; then
        return 0
    fi
    MOX_SILENT_MODE=1 "$(command -v python || command -v python3)" - "$url" "$folder" <<'PROGRAM'
import sys
import moxing

url, folder = sys.argv[1:]
if not moxing.file.is_directory(url):
    sys.exit("the code directory %s does not exist" % url)
moxing.file.copy_parallel(url, folder)
PROGRAM
}

run_with_log() { # LOG_FILE COMMAND… : the output goes to the log file, too
    local log=$1 child code signalled
    shift
    mkdir -p "$(dirname "$log")" && exec > >(exec tee -a "$log") 2>&1
    local tee=$!
    "$@" &
    child=$!
    trap 'signalled=yes; kill -TERM "$child"' TERM INT
    while :; do
        signalled=
        wait "$child"
        code=$?
        [[ -z $signalled ]] && break # a signal ends `wait`, but not the child
    done
    exec >&- 2>&-
    wait "$tee"
    exit "$code"
}

work=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$work/user-job-dir" && cd "$work/user-job-dir" || exit 127
case :${PYTHONPATH-}: in
*:"$PWD":*) ;;
*) export PYTHONPATH=$PWD${PYTHONPATH:+:$PYTHONPATH} ;;
esac

case ${1-} in
'')
    echo "usage: run_train.sh COMMAND [ARGUMENT…], or run_train.sh CODE_URL BOOT_FILE LOG_FILE [ARGUMENT…]" >&2
    exit 2
    ;;
s3://* | obs://*)
    if (($# < 3)); then
        echo "run_train.sh: CODE_URL must be followed by BOOT_FILE and LOG_FILE" >&2
        exit 2
    fi
    code_url=$1 boot_file=${2#/} log=$3
    shift 3
    fetch "$code_url" || exit 127
    case $boot_file in
    *.sh) program=bash ;;
    *) program=$(command -v python || command -v python3) ;;
    esac
    case $log in
    '' | s3://* | obs://*) exec "$program" "$boot_file" "$@" ;; # the service writes the log to buckets
    *) run_with_log "$log" "$program" "$boot_file" "$@" ;;
    esac
    ;;
*)
    if [[ -n ${DLS_APP_URL-} ]]; then
        fetch "$DLS_APP_URL" || exit 127
    fi
    exec "$@"
    ;;
esac
