#!/bin/sh
# Unpacks the archives in a folder, each with a process of its own into a folder of its own, and
# prints for each its name and the exit status.
#
# extract.sh INPUT OUTPUT COMMAND…: the command is run in the folder to unpack into, with -f and the
# archive's path behind its arguments, and -z for a compressed one. What it says goes to a file
# beside that folder.
set -u
input=$1
output=$2
shift 2
for path in "$input"/*; do
  file=${path##*/}
  cd "$output/$file" || exit 1
  case $file in
    *.gz) "$@" -z -f "$path" ;;
    *) "$@" -f "$path" ;;
  esac >"../$file.said" 2>&1
  echo "$file $?"
done
