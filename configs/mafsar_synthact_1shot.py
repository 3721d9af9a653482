_base_ = [
    "_base_/backbones/tiny.py",
    "_base_/datasets/synthact.py",
    "_base_/methods/mafsar.py",
    "_base_/settings/5way_1shot.py",
    "_base_/recipes/synthact.py",
]
episodes = dict(train_queries=3)
# Text scores of fsarbench-tiny are weak. On the validation classes alpha = 0, 0.1, 0.2 and 0.5 gave
# 86.4, 86.0, 85.1 and 65.8 % (2,000 episodes), so text guides the prototypes and is not mixed in.
readout = dict(alpha=0.0)
losses = dict(match=dict(weight=1.0), text=dict(weight=0.1))
