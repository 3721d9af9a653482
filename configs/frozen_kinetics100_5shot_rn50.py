_base_ = [
    "_base_/backbones/clip_rn50.py",
    "_base_/datasets/kinetics100.py",
    "_base_/methods/frozen.py",
    "_base_/settings/5way_5shot.py",
]
