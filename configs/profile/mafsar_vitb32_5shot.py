_base_ = "mafsar_vitb32_1shot.py"
episodes = dict(shot=5)
