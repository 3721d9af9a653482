_base_ = [
    "_base_/backbones/imagenet_rn50.py",
    "_base_/datasets/ucf101.py",
    "_base_/methods/hyrsm.py",
    "_base_/settings/5way_5shot.py",
    "_base_/recipes/hyrsm_ucf101.py",
]
episodes = dict(train_queries=7)
losses = dict(frames=dict(weight=0.15))
