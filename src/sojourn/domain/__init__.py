"""What the product believes: people, targets, policy, request, grant, session.

Decides and evolves; pure, standard library only.
"""
