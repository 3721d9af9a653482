_base_ = [
    "_base_/backbones/tiny.py",
    "_base_/datasets/synthact.py",
    "_base_/methods/mafsar.py",
    "_base_/settings/5way_5shot.py",
    "_base_/recipes/synthact.py",
]
episodes = dict(train_queries=3)
# Alpha as chosen for one shot.
readout = dict(alpha=0.0)
losses = dict(match=dict(weight=1.0), text=dict(weight=0.1))
