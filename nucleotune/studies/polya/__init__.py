"""Where yeast transcripts are cut: plan, builders, tables, figures and toy of the poly(A) study."""
