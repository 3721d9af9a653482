_base_ = [
    "_base_/backbones/clip_rn50.py",
    "_base_/datasets/kinetics100.py",
    "_base_/methods/finetune.py",
    "_base_/settings/5way_5shot.py",
    "_base_/recipes/mafsar.py",
]
# There is no place for adapters in a CNN, which is fully tuned instead.
