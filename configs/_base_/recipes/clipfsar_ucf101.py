# The authors' released 1-shot config: tasks of one process, optimiser steps of four, and the
# iterations at which their schedule starts and divides the rate by ten. There Adam with L2, here
# AdamW; they ran four such processes side by side.
train = dict(
    episodes=3000,
    accumulate=4,
    lr=2e-6,
    trunk_lr=2e-6,
    weight_decay=5e-5,
    warmup=600,
    schedule="multistep",
    milestones=[1200, 1800],
    val_interval=500,
)
