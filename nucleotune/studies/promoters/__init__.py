"""Four promoter tasks: plan, builders, tables, figures and toy of the promoter study."""
