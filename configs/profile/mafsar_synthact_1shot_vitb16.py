# Complete run at the sizes of the published data sets without a download: random weights and the
# built-in data set. Its time and memory are meaningful, its accuracy is not.
_base_ = [
    "../_base_/datasets/synthact.py",
    "../_base_/methods/mafsar.py",
    "../_base_/settings/5way_1shot.py",
]
backbone = dict(type="OpenClipViT", model="ViT-B-16", quick_gelu=True)
text_encoder = dict(
    type="OpenClipText", model="ViT-B-16", quick_gelu=True, prompts=["a photo of {}"]
)
train = dict(episodes=100, val_interval=100)
evaluate = dict(episodes=1000, val_episodes=100)
