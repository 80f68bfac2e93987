#!/bin/bash
# Machines reached by ssh, with Open MPI: examples/cluster/ssh.sh people/ model/
# On this machine alone, as the tests run it: HOSTS= RANKS=2 examples/cluster/ssh.sh people/ model/
# MPIRUN chooses another launcher, TWINGRAD another command line.
set -euo pipefail
data=$1
model=$2
shift 2
hosts=${HOSTS-$(dirname "$0")/hosts}

options=(-n "${RANKS:-4}")
if [ -n "$hosts" ]; then
  options+=(--hostfile "$hosts")
elif "${MPIRUN:-mpirun}" --version | grep -q "Open MPI\|OpenRTE"; then
  options+=(--oversubscribe) # more ranks than cores
fi
# Open MPI refuses to run as root, as in a container, without these.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1

resume=()
[ -d "$model" ] && resume=(--resume)
# shellcheck disable=SC2086
exec "${MPIRUN:-mpirun}" "${options[@]}" ${TWINGRAD:-twingrad} train "$data" --out "$model" --distributed "${resume[@]}" "$@"
