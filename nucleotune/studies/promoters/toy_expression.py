"""Expression of the toy species: what a promoter's sequence says, a class, and what no sequence explains."""

from collections.abc import Sequence

import numpy as np

from nucleotune.studies.promoters.toy_genome import ToyGene

_BRAIN = (
    "Amygdala",
    "Anterior cingulate cortex (BA24)",
    "Caudate (basal ganglia)",
    "Cerebellar Hemisphere",
    "Cerebellum",
    "Cortex",
    "Frontal Cortex (BA9)",
    "Hippocampus",
    "Hypothalamus",
    "Nucleus accumbens (basal ganglia)",
    "Putamen (basal ganglia)",
    "Spinal cord (cervical c-1)",
    "Substantia nigra",
)

#: The 54 columns of GTEx V8, in its order.
TISSUES = (
    "Adipose - Subcutaneous",
    "Adipose - Visceral (Omentum)",
    "Adrenal Gland",
    "Artery - Aorta",
    "Artery - Coronary",
    "Artery - Tibial",
    "Bladder",
    *(f"Brain - {part}" for part in _BRAIN),
    "Breast - Mammary Tissue",
    "Cells - Cultured fibroblasts",
    "Cells - EBV-transformed lymphocytes",
    "Cervix - Ectocervix",
    "Cervix - Endocervix",
    "Colon - Sigmoid",
    "Colon - Transverse",
    "Esophagus - Gastroesophageal Junction",
    "Esophagus - Mucosa",
    "Esophagus - Muscularis",
    "Fallopian Tube",
    "Heart - Atrial Appendage",
    "Heart - Left Ventricle",
    "Kidney - Cortex",
    "Kidney - Medulla",
    "Liver",
    "Lung",
    "Minor Salivary Gland",
    "Muscle - Skeletal",
    "Nerve - Tibial",
    "Ovary",
    "Pancreas",
    "Pituitary",
    "Prostate",
    "Skin - Not Sun Exposed (Suprapubic)",
    "Skin - Sun Exposed (Lower leg)",
    "Small Intestine - Terminal Ileum",
    "Spleen",
    "Stomach",
    "Testis",
    "Thyroid",
    "Uterus",
    "Vagina",
    "Whole Blood",
)

# log2 TPM. A level below the threshold is a median of 0 TPM, which is common in GTEx.
CLASS_LEVEL = {"protein_coding": 0.5, "lncRNA": -0.5}
OTHER_LEVEL = -2.0
UNEXPLAINED_SPREAD = 0.8  # between genes
TISSUE_SPREAD = {True: 0.2, False: 0.3}  # between tissues of a gene, in a CpG island and outside
THRESHOLD = 0.5

# Genes that a few tissues switch on whatever their promoter holds: high nowhere else, and not low everywhere.
SPECIFIC_SHARE, SPECIFIC_TISSUES, SPECIFIC_GAIN = 0.05, 3, 5.0
TESTIS_SHARE = 0.15  # of lncRNA genes, in testis


def median_tpm(genes: Sequence[ToyGene], rng: np.random.Generator) -> np.ndarray:
    """Draw the median TPM of each gene in each tissue, shape (genes, 54).

    A gene follows the promoter it starts from; genes without one (other biotypes) are hardly expressed.
    """
    promoters = [gene.transcripts[0].promoter for gene in genes]
    level = np.array(
        [
            CLASS_LEVEL[gene.biotype] + promoter.activity if promoter else OTHER_LEVEL
            for gene, promoter in zip(genes, promoters, strict=True)
        ]
    )
    spread = np.array([TISSUE_SPREAD[bool(p and p.island)] for p in promoters])
    log_tpm = (level + rng.normal(0.0, UNEXPLAINED_SPREAD, len(genes)))[:, None]
    log_tpm = log_tpm + spread[:, None] * rng.normal(size=(len(genes), len(TISSUES)))
    testis = TISSUES.index("Testis")
    for i, gene in enumerate(genes):
        if rng.random() < SPECIFIC_SHARE:
            log_tpm[i, rng.choice(len(TISSUES), SPECIFIC_TISSUES, replace=False)] += SPECIFIC_GAIN
        if gene.biotype == "lncRNA" and rng.random() < TESTIS_SHARE:
            log_tpm[i, testis] += SPECIFIC_GAIN
    return np.maximum(np.exp2(log_tpm) - np.exp2(THRESHOLD), 0.0)
