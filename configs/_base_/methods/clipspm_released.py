# CLIP-SPM as its released code computes it: of the distances only that of the motion counts. The
# lines that add those of prompts and modulated frames are comments there.
_base_ = ["clipspm.py"]
losses = dict(prompt=dict(weight=0.0), fused_prompt=dict(weight=0.0), fused=dict(weight=0.0))
