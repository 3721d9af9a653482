# Standard protocol: 5-way 5-shot, one query per class, 10,000 test episodes. Five queries per class
# in training, as in TRX's code.
episodes = dict(way=5, shot=5, queries=1, train_queries=5)
evaluate = dict(episodes=10_000)
