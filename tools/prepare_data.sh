#!/usr/bin/env bash
# Links datasets and weights into the checkout, where the configs look for them.
# Existing links stay, so it can be run again at any time.
set -euo pipefail

usage() {
  cat <<'EOF'
usage: bash tools/prepare_data.sh [--datasets DIR] [--mpii DIR] [--coco DIR]
                                  [--models DIR] [--into DIR] [--force]

  --mpii DIR      link data/mpii to this folder
  --coco DIR      link data/coco to this folder
  --models DIR    link checkpoints to this folder; or, if it holds weight files of the
                  released FPD code, link each into checkpoints as CONFIG.pth
  --datasets DIR  short for --mpii DIR/MPII --coco DIR/MSCOCO --models DIR/models,
                  as far as these folders exist
  --into DIR      the checkout (default: that of this script)
  --force         replace links that point elsewhere, but never a real folder

The data can have MMPose's layout or that of the released FPD code; docs/howto/data.md
describes both. The script prints the layout and the missing files. To check the data
themselves, run: python tools/data/check.py CONFIG

docs/howto/released_code.md lists the released weight files. DIR can be the folder
models, models/pytorch, or the folder above. Files in checkpoints are never replaced.
EOF
}
say() { printf 'prepare_data: %s\n' "$*"; }
warn() { printf 'prepare_data: warning: %s\n' "$*" >&2; }
die() { printf 'prepare_data: error: %s\n' "$*" >&2; exit 1; }

mpii='' coco='' models='' datasets='' into='' force=''
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) usage; exit ;;
    --force) force=1 ;;
    --mpii | --coco | --models | --datasets | --into)
      [ -n "${2:-}" ] || die "$1 needs a folder (--help shows the options)"
      printf -v "${1#--}" '%s' "$2"
      shift
      ;;
    *) die "unknown option \"$1\" (--help shows the options)" ;;
  esac
  shift
done

# Does not resolve links, so that ours follow if one is changed later.
absolute() { (CDPATH='' cd -- "$1" && pwd -L); }

if [ -n "$datasets" ]; then
  [ -d "$datasets" ] || die "--datasets: \"$datasets\" is not a folder"
  [ -n "$mpii" ] || [ ! -d "$datasets/MPII" ] || mpii=$datasets/MPII
  [ -n "$coco" ] || [ ! -d "$datasets/MSCOCO" ] || coco=$datasets/MSCOCO
  [ -n "$models" ] || [ ! -d "$datasets/models" ] || models=$datasets/models
  [ -n "$mpii$coco$models" ] ||
    die "--datasets: \"$datasets\" has no folder MPII, MSCOCO, or models"
fi
[ -n "$mpii$coco$models" ] || { usage >&2; die 'nothing to link'; }
here=$(dirname -- "${BASH_SOURCE[0]}")
into=${into:-$here/..}
[ -d "$into" ] || die "--into: \"$into\" is not a folder"
into=$(absolute "$into")

# check_link SOURCE LINK OPTION: dies if the link cannot be created.
check_link() {
  [ -n "$1" ] || return 0
  [ -d "$1" ] || die "$3: \"$1\" is not a folder"
  if [ "$1" -ef "$2" ]; then return; fi
  if [ -L "$2" ]; then
    [ -n "$force" ] || die "\"$2\" is a link to \"$(readlink "$2")\": use --force" \
      "to make it point to \"$1\""
  elif [ -e "$2" ]; then
    die "\"$2\" exists and is not a link: move it away, or put links into it by hand;" \
      'it is never replaced'
  fi
}

make_link() {
  [ -n "$1" ] || return 0
  if [ "$1" -ef "$2" ]; then
    say "$2 is already linked"
    return
  fi
  mkdir -p -- "$(dirname -- "$2")"
  ln -sfn -- "$(absolute "$1")" "$2"
  say "$2 -> $(readlink "$2")"
}

# The folder checkpoints holds links to single files if they are the released code's.
files=() names=() others=()

# name_weights NAME: sets name to the file's name in checkpoints, or to nothing if no
# config asks for it, and is_released.
name_weights() {
  local config
  is_released=1
  case $1 in
    bs4_hourglass_128_4_1_16_0.00025_0_140_87.934_model_best.pth) name=hg4_128_mpii ;;
    bs4_hourglass_256_8_1_16_0.00025_0_140_90.520_model_best.pth) name=hg8_256_mpii ;;
    pose_hrnet_w32_256x256.pth) name=hrnet_w32_mpii ;;
    pose_hrnet_w48_256x256.pth) name=hrnet_w48_mpii ;;
    pose_hrnet_w32_256x192.pth) name=hrnet_w32_coco_256x192 ;;
    pose_hrnet_w48_256x192.pth) name=hrnet_w48_coco_256x192 ;;
    'hourglass_student_FPD*.pth') name=hg4_128_fpd_scratch_mpii ;; # not a pattern
    hourglass_student_FPD.pth) name=hg4_128_fpd_mpii ;;
    pose_hrnet_w32_student_FPD.pth) name=hrnet_w32_fpd_coco_256x192 ;;
    hrnet_w32-36af842e.pth | hrnet_w48-8ef0771d.pth | resnet50-19c8e357.pth | \
      resnet101-5d3b4d8f.pth | resnet152-b121ed2d.pth) name=${1%.pth} ;;
    *)
      is_released='' name=''
      for config in "$here/../configs"/*/"${1%.pth}.py"; do
        [ ! -f "$config" ] || name=${1%.pth}
      done
      ;;
  esac
}

# find_weights FOLDER: sorts its weight files into files, with their names, and others.
find_weights() {
  local file name is_released folders=("$1") released=''
  # Beside a folder models/pytorch are the students.
  [ "${1##*/}" != pytorch ] || [ ! -d "${1%/*}/student_FPD" ] ||
    folders+=("${1%/*}/student_FPD")
  while IFS= read -r -d '' file; do
    # What was linked before is not a source.
    if [ ! -L "$into/checkpoints" ] && [ "${file%/*}" -ef "$into/checkpoints" ]; then
      continue
    fi
    name_weights "${file##*/}"
    released=$released$is_released
    # Of two files with one name, the first is linked.
    if [ -n "$name" ] && [[ " ${names[*]-} " != *" $name "* ]]; then
      files+=("$file") names+=("$name")
    else
      others+=("$file")
    fi
  done < <(find -L "${folders[@]}" -maxdepth 4 -name '*.pth' -type f -print0 | sort -z)
  [ -n "$released" ] || files=()
}

check_weights() {
  if [ -L "$into/checkpoints" ]; then
    [ -n "$force" ] || die "\"$into/checkpoints\" is a link to" \
      "\"$(readlink "$into/checkpoints")\": use --force to replace it with a folder of" \
      'links to the weight files'
  elif [ -e "$into/checkpoints" ] && [ ! -d "$into/checkpoints" ]; then
    die "\"$into/checkpoints\" is not a folder: move it away"
  fi
}

make_weights() {
  local index file link linked=0 present=0
  [ ! -L "$into/checkpoints" ] || rm -- "$into/checkpoints"
  mkdir -p -- "$into/checkpoints"
  for index in "${!files[@]}"; do
    file=${files[index]} link=$into/checkpoints/${names[index]}.pth
    if [ "$file" -ef "$link" ] || { [ -f "$link" ] && cmp -s -- "$file" "$link"; }; then
      say "$link is already there"
      present=$((present + 1))
    elif [ ! -e "$link" ] || { [ -L "$link" ] && [ -n "$force" ]; }; then
      ln -sfn -- "$file" "$link"
      say "$link -> $file"
      linked=$((linked + 1))
    elif [ -L "$link" ]; then
      warn "$link stays a link to $(readlink "$link"): use --force to make it point" \
        "to $file"
    else
      warn "$link stays, which is another file: move it away to link $file"
    fi
  done
  for file in ${others[@]+"${others[@]}"}; do
    say "left out, unknown or a second copy: $file"
  done
  say "weight files: $linked linked, $present already there," \
    "$((${#files[@]} - linked - present)) in conflict, ${#others[@]} left out"
}

# layout NAME FOLDER PAIR...: reports the layout of the data. A pair is the name of a
# file or folder in MMPose's layout, a colon, and its name in the released code's.
layout() {
  local name=$1 folder=$2 pair missing=() mmpose=1 reference=1
  shift 2
  for pair in "$@"; do
    [ -e "$folder/${pair%%:*}" ] || mmpose=''
    [ -e "$folder/${pair#*:}" ] || reference=''
    [ -e "$folder/${pair%%:*}" ] || [ -e "$folder/${pair#*:}" ] || missing+=("$pair")
  done
  if [ -n "$mmpose" ]; then
    say "$name has MMPose's layout"
  elif [ -n "$reference" ]; then
    say "$name has the layout of the released FPD code"
  elif [ ${#missing[@]} -eq 0 ]; then
    say "$name has partly MMPose's layout and partly that of the released FPD code"
  else
    for pair in "${missing[@]}"; do
      if [ "${pair%%:*}" = "${pair#*:}" ]; then
        warn "$name lacks ${pair%%:*}: put it at $folder/${pair%%:*}" \
          '(docs/howto/data.md says where to get it)'
      else
        warn "$name lacks ${pair%%:*}: put it at $folder/${pair%%:*} or at" \
          "$folder/${pair#*:} (docs/howto/data.md says where to get it)"
      fi
    done
  fi
}

# has_part FOLDER PAIR...: whether the folder has any of the data, in either layout.
has_part() {
  local folder=$1 pair
  shift
  for pair in "$@"; do
    if [ -e "$folder/${pair%%:*}" ] || [ -e "$folder/${pair#*:}" ]; then return; fi
  done
  return 1
}

# check_data OPTION FOLDER PAIR...: dies if the folder has none of the data.
check_data() {
  local option=$1 folder=${2%/} below names
  shift 2
  if [ ! -d "$folder" ] || has_part "$folder" "$@"; then return; fi
  for below in "$folder"/*/; do
    below=${below%/}
    ! has_part "$below" "$@" ||
      die "$option: \"$folder\" has none of the data: did you mean \"$below\"?"
  done
  names=$(printf ', %s' "${@%%:*}")
  die "$option: \"$folder\" has none of ${names#, } (docs/howto/data.md shows the" \
    'layouts)'
}

mpii_parts=(
  annotations/mpii_train.json:annot/train.json
  annotations/mpii_val.json:annot/valid.json
  annotations/mpii_gt_val.mat:annot/gt_valid.mat
  images:images
)
detections=person_detection_results/COCO_val2017_detections_AP_H_56_person.json
train=annotations/person_keypoints_train2017.json
val=annotations/person_keypoints_val2017.json
coco_parts=(
  "$train:$train" "$val:$val" train2017:images/train2017 val2017:images/val2017
  "$detections:$detections"
)

if [ -d "$models" ]; then find_weights "$(absolute "$models")"; fi
# All checks come before the first link.
[ -z "$mpii" ] || check_data --mpii "$mpii" "${mpii_parts[@]}"
[ -z "$coco" ] || check_data --coco "$coco" "${coco_parts[@]}"
for step in check make; do
  "${step}_link" "$mpii" "$into/data/mpii" --mpii
  "${step}_link" "$coco" "$into/data/coco" --coco
  if [ ${#files[@]} -gt 0 ]; then
    "${step}_weights"
  else
    "${step}_link" "$models" "$into/checkpoints" --models
  fi
done

[ -z "$mpii" ] || layout MPII "$into/data/mpii" "${mpii_parts[@]}"
[ -z "$coco" ] || layout COCO "$into/data/coco" "${coco_parts[@]}"
if [ -n "$models" ] && [ ${#files[@]} -eq 0 ]; then
  count=$(find -L "$into/checkpoints/" -name '*.pth' | wc -l)
  [ "$count" -gt 0 ] || warn "$into/checkpoints has no weights (*.pth)"
  [ "$count" -eq 0 ] || say "$into/checkpoints has $((count)) weight files (*.pth)"
fi
