"""Annotation (GTF, GFF3), windows of a genome, expression tables. Knows nothing of studies or methods."""
