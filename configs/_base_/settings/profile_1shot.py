# What costs are compared at: plain fp32 without TF32, as papers train, and five queries a class.
episodes = dict(way=5, shot=1, queries=5, train_queries=5)
train = dict(precision="fp32", tf32=False)
