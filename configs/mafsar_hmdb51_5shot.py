_base_ = [
    "_base_/backbones/clip_vitb16.py",
    "_base_/datasets/hmdb51.py",
    "_base_/methods/mafsar.py",
    "_base_/settings/5way_5shot.py",
    "_base_/recipes/mafsar.py",
]
