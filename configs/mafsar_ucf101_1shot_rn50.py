_base_ = [
    "_base_/backbones/clip_rn50.py",
    "_base_/datasets/ucf101.py",
    "_base_/methods/finetune.py",
    "_base_/settings/5way_1shot.py",
    "_base_/recipes/mafsar.py",
]
# There is no place for adapters in a CNN, which is fully tuned instead.
