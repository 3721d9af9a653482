_base_ = [
    "_base_/backbones/tiny.py",
    "_base_/datasets/synthact.py",
    "_base_/methods/cpm2c.py",
    "_base_/settings/5way_1shot.py",
    "_base_/recipes/synthact.py",
]
episodes = dict(train_queries=3)
