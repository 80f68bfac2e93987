#!/bin/bash
# Slurm: sbatch examples/cluster/slurm.sh people/ model/
# Not run on a cluster by us yet.
# Submitted again, a job that was killed or ran out of time resumes its training.
#SBATCH --job-name=twingrad
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=4
#SBATCH --gpus-per-task=1
#SBATCH --cpus-per-task=4
#SBATCH --time=04:00:00
#SBATCH --requeue
set -euo pipefail
data=$1
model=$2

# The cluster's MPI; Slurm must support it (see srun --mpi=list).
module load openmpi 2>/dev/null || true

resume=()
[ -d "$model" ] && resume=(--resume)
srun --mpi=pmix twingrad train "$data" --out "$model" --distributed "${resume[@]}" --json
