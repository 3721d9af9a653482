# The other files of this folder differ only in the adapter; everything else is MA-FSAR's.
_base_ = [
    "../_base_/backbones/clip_vitb32.py",
    "../_base_/datasets/ssv2small.py",
    "../_base_/methods/mafsar.py",
    "../_base_/settings/profile_1shot.py",
]
