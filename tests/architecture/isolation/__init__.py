"""The isolation matrix: every route × every kind of caller × own and foreign ids.

Routes join by themselves. A route with a new kind of id needs a sample of it in `samples.py`.
"""
