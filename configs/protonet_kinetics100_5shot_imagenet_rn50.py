_base_ = [
    "_base_/backbones/imagenet_rn50.py",
    "_base_/datasets/kinetics100.py",
    "_base_/methods/protonet.py",
    "_base_/settings/5way_5shot.py",
    "_base_/recipes/trx.py",
]
# No recipe is printed with this result; TRX's stands in.
