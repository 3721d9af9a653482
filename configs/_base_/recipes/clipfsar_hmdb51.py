# The authors' released 1-shot config: tasks of one process, optimiser steps of four, and the
# iterations at which their schedule starts and divides the rate by ten. There Adam with L2, here
# AdamW; they ran four such processes side by side.
train = dict(
    episodes=5000,
    accumulate=4,
    lr=1e-5,
    trunk_lr=1e-5,
    weight_decay=5e-5,
    warmup=700,
    schedule="multistep",
    milestones=[1400, 2100],
    val_interval=500,
)
