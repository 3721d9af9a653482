_base_ = [
    "_base_/backbones/tiny.py",
    "_base_/datasets/synthact.py",
    "_base_/methods/ridge.py",
    "_base_/settings/5way_1shot.py",
]
