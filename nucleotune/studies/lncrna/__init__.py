"""lncRNA or mRNA: plan, builders, tables, figures and toy of the lncRNA study."""
