#!/usr/bin/env bash
# Times `ensemble` and `estimate` on many trials of a made-up competition.
#
#   bench/ensemble/large.sh MEDALIST FOLDER [ROWS] [TRIALS] [METRIC] [CLASSES]
#
# MEDALIST: the program. FOLDER: a new folder for the workspace; 1,000 trials on 50,000 rows take 1.5 GB there.
set -euo pipefail
medalist=$1 folder=$2 rows=${3:-50000} trials=${4:-1000} metric=${5:-log_loss} classes=${6:-3}
mkdir -p "$folder/competitions" "$folder/submissions"
cd "$folder"
python3 - "$rows" "$classes" <<'PY'
import random, sys
rows, classes = int(sys.argv[1]), int(sys.argv[2])
random.seed(1)
with open("train.csv", "w") as train, open("test.csv", "w") as test:
    train.write("id," + ",".join(f"x{i}" for i in range(5)) + ",y\n")
    test.write("id," + ",".join(f"x{i}" for i in range(5)) + "\n")
    for row in range(rows + 1000):
        x = [random.gauss(0, 1) for _ in range(5)]
        y = int(x[0] + 0.5 * x[1] + random.gauss(0, 1) > 0) + int(x[2] + random.gauss(0, 1) > 0.8) * (classes > 2)
        cells = f"{row}," + ",".join(f"{v:.4f}" for v in x)
        (train if row < rows else test).write(cells + (f",c{y}\n" if row < rows else "\n"))
PY
export MEDALIST_WORKSPACE=$PWD
"$medalist" new competition large --train train.csv --test test.csv --target y --id id --metric "$metric" -q
"$medalist" sweep large --models ridge --search random --trials "$trials" --study large --no-ensemble --no-submission -q >/dev/null
for command in "ensemble large --keep --no-submission" "estimate large"; do
  echo "== $command"
  /usr/bin/time -f "%e s wall, %U s user, %M KB at most" "$medalist" $command
done
