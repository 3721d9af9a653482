_base_ = "lora_vitb32_1shot.py"
episodes = dict(shot=5)
