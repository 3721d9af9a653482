# OpenAI's CLIP ViT-B/32; the tag selects its quick-GELU.
backbone = dict(type="OpenClipViT", model="ViT-B-32", pretrained="openai")
# MA-FSAR's paper does not state the prompt; this is CLIP-FSAR's.
text_encoder = dict(
    type="OpenClipText", model="ViT-B-32", pretrained="openai", prompts=["a photo of {}"]
)
