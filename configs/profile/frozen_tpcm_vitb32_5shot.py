_base_ = "frozen_tpcm_vitb32_1shot.py"
episodes = dict(shot=5)
