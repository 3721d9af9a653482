_base_ = [
    "_base_/backbones/imagenet_rn50.py",
    "_base_/datasets/ucf101.py",
    "_base_/methods/trx.py",
    "_base_/settings/5way_1shot.py",
    "_base_/recipes/trx.py",
]
