_base_ = "mafsar_vitb32_1shot.py"
# Two temporal adapters, as the authors have where order matters.
adapter = dict(_delete_=True, type="AIM", temporal=2)
