# The field's protocol: 5-way 5-shot, 8 frames, 10,000 test episodes.
clips = dict(frames=8)
episodes = dict(way=5, shot=5, queries=1)
evaluate = dict(episodes=10_000)
