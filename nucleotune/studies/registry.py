"""The studies, by name; standard library only. A new study is a directory and a line here."""

from nucleotune.studies.lncrna.study import STUDY as LNCRNA
from nucleotune.studies.polya.study import STUDY as POLYA
from nucleotune.studies.promoters.study import STUDY as PROMOTERS
from nucleotune.studies.rbp.study import STUDY as RBP
from nucleotune.studies.task.study import STUDY as TASK

STUDIES = {"lncrna": LNCRNA, "promoters": PROMOTERS, "rbp": RBP, "polya": POLYA, "task": TASK}
