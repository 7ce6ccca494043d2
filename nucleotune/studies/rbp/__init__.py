"""Does an RBP bind an RNA: plan, builders, attention analyses, tables, figures and toy of the RBP study."""
