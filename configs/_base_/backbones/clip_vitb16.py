# OpenAI's CLIP ViT-B/16; its quick-GELU is picked with the tag.
backbone = dict(type="OpenClipViT", model="ViT-B-16", pretrained="openai")
# The prompt is open in MA-FSAR's paper; this is CLIP-FSAR's.
text_encoder = dict(
    type="OpenClipText", model="ViT-B-16", pretrained="openai", prompts=["a photo of {}"]
)
