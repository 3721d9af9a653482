_base_ = "mafsar_vitb32_1shot.py"
# Two temporal adapters, as in the authors' configs for data sets where order matters.
adapter = dict(_delete_=True, type="AIM", temporal=2)
