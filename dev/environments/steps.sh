#!/usr/bin/env bash
# What a user does, with drawn people, in some environment: steps.sh PYTHON FOLDER.
# Prints "ok NAME" or "FAILED NAME" for each step; FOLDER/NAME.log has the output.
set -uo pipefail

python=$1 folder=$2
root=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd -P)
configs=$root/configs/quickstart
mkdir -p "$folder" && cd -- "$folder" || exit 1
export PYTHONPATH=$root PYTHONWARNINGS=ignore MPLBACKEND=Agg
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
code=0

step() {
  local name=$1
  shift
  if "$@" >"$name.log" 2>&1; then echo "ok $name"; else echo "FAILED $name" && code=1; fi
}
fpd() { "$python" -c 'import sys; from fpd_mmpose.cli import main; sys.exit(main())' "$@"; }

image=work_dirs/quickstart/data/images/000000001.jpg
people=train_dataloader.dataset.ann_file=annotations/mpii_train.json
steps=(train_cfg.max_iters=4 train_cfg.val_interval=4 param_scheduler.0.total_steps=8)
save=(default_hooks.checkpoint.interval=4)

step draw "$python" "$root/tools/data/draw_people.py" work_dirs/quickstart/data \
  --train 32 --val 8
step teacher fpd train "$configs/hg2_64_drawn.py" --work-dir teacher \
  --cfg-options train_cfg.max_epochs=1 param_scheduler.0.total_steps=1
step check fpd check "$configs/hg1_32_more_drawn.py" --cfg-options "$people"
step student fpd train "$configs/hg1_32_more_drawn.py" --work-dir student \
  --cfg-options "$people" "${steps[@]}" "${save[@]}"
step distill fpd train "$configs/hg1_32_fpd_drawn.py" --work-dir fpd --cfg-options \
  "$people" "${steps[@]}" "${save[@]}" model.teacher.checkpoint=teacher/epoch_1.pth
step resume fpd train "$configs/hg1_32_fpd_drawn.py" --work-dir fpd --resume \
  --cfg-options "$people" "${steps[@]}" "${save[@]}" train_cfg.max_iters=8 \
  model.teacher.checkpoint=teacher/epoch_1.pth
step test fpd test "$configs/hg1_32_more_drawn.py" fpd/iter_8.pth --work-dir test \
  --show-dir shown
step export fpd export "$configs/hg1_32_more_drawn.py" fpd/iter_8.pth student.onnx
step predict fpd predict student.onnx "$image" --out-file predicted.jpg
step inferencer "$python" -c '
import sys
import fpd_mmpose
from mmpose.apis import MMPoseInferencer
network = MMPoseInferencer(sys.argv[1], sys.argv[2], det_model="whole_image", device="cpu")
(found,) = network(sys.argv[3])
assert len(found["predictions"][0][0]["keypoints"]) == 16
' "$configs/hg1_32_more_drawn.py" fpd/iter_8.pth "$image"
step operators "$python" -c '
import fpd_mmpose
import numpy as np
from mmcv.ops import nms
boxes = np.array([[0, 0, 9, 9], [0, 0, 9, 8]], np.float32)
assert nms(boxes, np.array([0.8, 0.9], np.float32), 0.5)[1].tolist() == [1]
'
exit "$code"
