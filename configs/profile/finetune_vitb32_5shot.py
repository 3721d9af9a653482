_base_ = "finetune_vitb32_1shot.py"
episodes = dict(shot=5)
