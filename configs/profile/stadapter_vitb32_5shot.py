_base_ = "stadapter_vitb32_1shot.py"
episodes = dict(shot=5)
