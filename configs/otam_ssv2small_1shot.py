_base_ = [
    "_base_/backbones/clip_vitb16.py",
    "_base_/datasets/ssv2small.py",
    "_base_/methods/otam.py",
    "_base_/settings/5way_1shot.py",
    "_base_/recipes/clipfsar_ssv2small.py",
]
# No recipe is printed with this result; CLIP-FSAR's stands in.
