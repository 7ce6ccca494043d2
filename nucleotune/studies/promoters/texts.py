"""What the page of the study says in words."""

from nucleotune.reporting import attribution_texts
from nucleotune.reporting.texts import Texts
from nucleotune.studies.promoters.tables import page_titles

ASKED = (
    "Do fine-tuned language models tell promoters apart better than n-grams of nucleotides (paper on the regulation of"
    " lncRNA genes)? Four tasks, each closer to lncRNAs than the one before: biological or artificial"
    " sequences, promoters or other genomic regions, genes with high or low expression, and protein-coding or"
    " lncRNA genes."
)

#: Title and caption of each figure, by the name of its file.
FIGURES = {
    "promoters_figure2": {
        "title": "Figure 2. Attention along the promoter",
        "caption": "Attention of the classification token to each nucleotide, mean over the test promoters of"
        " each class of Task 3. Position 0, dotted, is the transcription start site (TSS). Next to the trained"
        " model are its controls: the model before training, and the trained model on shuffled promoters. A"
        " peak that also appears in a control says nothing about what was learnt. Lines and bands are running"
        " means over 9 nt, bands of the"
        ' 95 % interval of each position\'s mean over promoters. Table "Figure 2 in numbers" compares the peaks.',
    },
    "promoters_motifs": attribution_texts.LOGOS,
}

TEXTS = Texts(
    title="four tasks on promoters",
    asked=ASKED,
    figures=FIGURES,
    motifs=attribution_texts.MOTIF_TABLE,
    page_titles=page_titles,
)
