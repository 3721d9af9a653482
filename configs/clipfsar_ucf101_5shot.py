_base_ = [
    "_base_/backbones/clip_vitb16.py",
    "_base_/datasets/ucf101.py",
    "_base_/methods/clipfsar.py",
    "_base_/settings/5way_5shot.py",
    "_base_/recipes/clipfsar_ucf101.py",
]
# The authors train on 1-shot tasks, also for this; here training is as the test.
losses = dict(text=dict(weight=1.5))
