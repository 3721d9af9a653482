_base_ = "aim_vitb32_1shot.py"
episodes = dict(shot=5)
