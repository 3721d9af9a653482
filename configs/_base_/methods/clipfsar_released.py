# CLIP-FSAR with the components of its released code; `fsarbench show clipfsar` lists the
# differences.
_base_ = ["clipfsar.py"]
prototypes = dict(as_released=True)
matcher = dict(cosine_eps=0.01)
losses = dict(text=dict(cosine_eps=0.01))
