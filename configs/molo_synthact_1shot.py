_base_ = [
    "_base_/backbones/tiny.py",
    "_base_/datasets/synthact.py",
    "_base_/methods/molo.py",
    "_base_/settings/5way_1shot.py",
    "_base_/recipes/synthact.py",
]
episodes = dict(train_queries=3)
# The small CLIP has 4 patches per side, of 16 pixels each.
branches = dict(motion=dict(neck=dict(enlarge=[2, 2, 4])))
