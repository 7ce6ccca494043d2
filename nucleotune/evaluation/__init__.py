"""How good are predictions: metrics, bootstrap intervals, paired tests. Knows no biology."""
