_base_ = [
    "_base_/backbones/clip_vitb32.py",
    "_base_/datasets/ssv2small.py",
    "_base_/methods/mafsar.py",
    "_base_/settings/5way_1shot.py",
    "_base_/recipes/mafsar.py",
]
