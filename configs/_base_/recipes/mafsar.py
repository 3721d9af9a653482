# The paper prints 10,000 training tasks and nothing else of the recipe; the rest is open there and
# follows CLIP-FSAR and AIM: rates of 1e-3 for adapters and 1e-5 for a tuned trunk, cosine decay.
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
