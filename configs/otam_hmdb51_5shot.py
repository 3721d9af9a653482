_base_ = [
    "_base_/backbones/clip_vitb16.py",
    "_base_/datasets/hmdb51.py",
    "_base_/methods/otam.py",
    "_base_/settings/5way_5shot.py",
    "_base_/recipes/clipfsar_hmdb51.py",
]
# No recipe is printed with this result; CLIP-FSAR's stands in.
