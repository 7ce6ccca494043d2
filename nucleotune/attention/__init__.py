"""What a model's attention heads look at, exactly and without matrices of tokens x tokens.

capture     sums of attention, read off while a model runs
spans       which nucleotides a token stands for, and the way from one to the other
statistics  the numbers of the BERT-RBP study, from those sums
profile     attention of [CLS] along a sequence: figure 2 of the promoter study
"""
