_base_ = ['hg4_256_mpii.py']

model = dict(backbone=dict(num_features=128))
