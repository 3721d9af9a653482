# OpenAI's CLIP ResNet-50 with its attention pool.
backbone = dict(type="OpenClipResNet", model="RN50", pretrained="openai")
# The prompt is CLIP-FSAR's.
text_encoder = dict(
    type="OpenClipText", model="RN50", pretrained="openai", prompts=["a photo of {}"]
)
