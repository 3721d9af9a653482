_base_ = [
    "_base_/backbones/tiny.py",
    "_base_/datasets/synthact.py",
    "_base_/methods/strm.py",
    "_base_/settings/5way_1shot.py",
    "_base_/recipes/synthact.py",
]
episodes = dict(train_queries=3)
# The patches of a transformer are not rectified, and have large values in some channels.
neck = dict(norm=True)
