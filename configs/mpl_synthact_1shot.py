_base_ = [
    "_base_/backbones/tiny.py",
    "_base_/datasets/synthact.py",
    "_base_/methods/mpl.py",
    "_base_/settings/5way_1shot.py",
    "_base_/recipes/synthact.py",
]
episodes = dict(train_queries=3)
# Four times the width of the features, as 2048 for those of CLIP's ViT-B/16.
prototypes = dict(hidden=512)
