# AIM with the adapter of its released code; `fsarbench show AIM` lists the differences.
_base_ = ["aim.py"]
adapter = dict(as_released=True)
