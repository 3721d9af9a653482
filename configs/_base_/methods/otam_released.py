# OTAM with the cosine of the code that several methods share; `fsarbench show OTAM` lists the
# differences.
_base_ = ["otam.py"]
matcher = dict(cosine_eps=0.01)
