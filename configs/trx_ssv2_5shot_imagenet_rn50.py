_base_ = [
    "_base_/backbones/imagenet_rn50.py",
    "_base_/datasets/ssv2.py",
    "_base_/methods/trx.py",
    "_base_/settings/5way_5shot.py",
    "_base_/recipes/trx_ssv2.py",
]
