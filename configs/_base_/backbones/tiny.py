# The small CLIP that the package ships: 64-pixel images, no real CLIP (see its model card).
backbone = dict(type="OpenClipViT", model="fsarbench-tiny", pretrained="synthact")
text_encoder = dict(
    type="OpenClipText", model="fsarbench-tiny", pretrained="synthact", prompts=["{}"]
)
