_base_ = "mafsar_vitb32_1shot.py"
adapter = dict(_delete_=True, type="STAdapter")
