"""The families of encoders, by name; standard library only. A new family is a module and a line here.

The schema of model files lists their names, too: a test compares.
"""

from nucleotune.models.families import bert, dnabert2, esm

FAMILIES = {family.name: family for family in (bert.FAMILY, esm.FAMILY, dnabert2.FAMILY)}
