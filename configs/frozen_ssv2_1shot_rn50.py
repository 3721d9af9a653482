_base_ = [
    "_base_/backbones/clip_rn50.py",
    "_base_/datasets/ssv2.py",
    "_base_/methods/frozen.py",
    "_base_/settings/5way_1shot.py",
]
