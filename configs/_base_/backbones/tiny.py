# The packaged small CLIP for 64-pixel frames; not a real CLIP (see its model card).
backbone = dict(type="OpenClipViT", model="fsarbench-tiny", pretrained="synthact")
text_encoder = dict(
    type="OpenClipText", model="fsarbench-tiny", pretrained="synthact", prompts=["{}"]
)
