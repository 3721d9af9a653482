# The paper states 10,000 training episodes and nothing else of the recipe. The rest follows
# CLIP-FSAR and AIM: learning rates 1e-3 for adapters and 1e-5 for trainable backbone weights,
# cosine decay.
train = dict(
    episodes=10_000,
    accumulate=4,
    lr=1e-3,
    trunk_lr=1e-5,
    warmup=400,
    clip_grad=1.0,
    val_interval=1000,
    log_interval=20,
)
