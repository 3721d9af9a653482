# Short training for the built-in data sets: about two minutes on two cores with fsarbench-tiny.
train = dict(
    episodes=300,
    lr=2e-3,
    trunk_lr=1e-4,
    warmup=20,
    clip_grad=1.0,
    val_interval=100,
)
